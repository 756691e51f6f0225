/** Making elements. All that is shown is text: nothing from a task is ever read as HTML. */

export type Child = Node | string | null | false;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  add(made, children);
  return made;
}

export function add(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (child !== null && child !== false)
      parent.appendChild(typeof child === 'string' ? document.createTextNode(child) : child);
  }
}

/** A link within the page that is no address. */
export function linkButton(text: string, act: () => void): HTMLButtonElement {
  const made = element('button', 'link', text);
  made.type = 'button';
  made.addEventListener('click', act);
  return made;
}

/** Sets a text only where it differs: screen readers and layout take note of every change. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export function reducedMotion(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
