/**
 * The picture as elements: one button for each item, where it is drawn, so that it can be focused, read aloud
 * and found by whatever assists the person. The canvas below is what is seen.
 */
import { t } from '@vscode/l10n';
import { numberText } from '../language.ts';
import type { Rect } from '../layout/place.ts';
import type { Camera } from '../render/camera.ts';
import type { Node, Scene } from '../render/scene.ts';
import type { Entry } from '../state/tasks.ts';
import { itemText, statusText } from '../state/words.ts';
import { element } from './dom.ts';

export class AccessLayer {
  readonly root = element('div', 'access');
  private readonly moving = element('div', 'moving');
  private readonly buttons = new Map<string, HTMLButtonElement>();
  /** For the one cell of a stack that has the focus: there may be ten thousand. */
  private readonly cell = element('button', 'item cell');
  private reachable: string | null = null;
  private zoom = 0;

  constructor(
    label: string,
    private readonly act: { focused(key: string): void; pressed(key: string): void },
  ) {
    this.root.setAttribute('role', 'group');
    this.root.setAttribute('aria-label', label);
    this.root.append(this.moving);
    this.cell.type = 'button';
    this.cell.tabIndex = -1;
  }

  /** One button for each of these nodes of the scene; those that were there stay the same elements. */
  update(scene: Scene, nodes: readonly Node[]): void {
    const kept = new Set(nodes.map(({ item }) => item.key));
    for (const [key, button] of this.buttons) {
      if (kept.has(key) || (button === document.activeElement && scene.nodes.has(key))) continue;
      button.remove();
      this.buttons.delete(key);
    }
    let last: Element | null = null;
    for (const { item, rect } of nodes) {
      const { key } = item;
      let button = this.buttons.get(key);
      if (button === undefined) this.buttons.set(key, (button = this.make(key)));
      place(button, rect);
      // In the order of reading, which is that of the plan.
      const after: Element | null = last === null ? this.moving.firstElementChild : last.nextElementSibling;
      if (after !== button) this.moving.insertBefore(button, after);
      last = button;
    }
    if (this.reachable === null || !this.buttons.has(this.reachable)) this.setReachable(scene.root.key);
    this.describe(scene);
  }

  /** Says of each item how it is now. */
  describe(scene: Scene): void {
    for (const [key, button] of this.buttons) {
      const item = scene.nodes.get(key)?.item;
      if (item === undefined) continue;
      set(button, 'aria-label', itemText(item));
      const opens =
        item.kind === 'box' ||
        item.kind === 'stack' ||
        (item.kind === 'task' && item.entry.children.length > 0);
      if (opens)
        set(button, 'aria-expanded', String(item.kind === 'box' || (item.kind === 'stack' && item.open)));
      else button.removeAttribute('aria-expanded');
    }
  }

  select(key: string | null): void {
    for (const [each, button] of this.buttons) {
      if (each === key) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
  }

  /** Gives an item the focus, and makes it the one that Tab comes to. */
  focus({ item: { key }, rect }: Node, scene: Scene): void {
    if (!this.buttons.has(key)) {
      const button = this.make(key);
      this.buttons.set(key, button);
      place(button, rect);
      this.moving.append(button);
      this.describe(scene);
    }
    this.setReachable(key);
    this.buttons.get(key)?.focus({ preventScroll: true });
  }

  /** Gives a task within an opened stack the focus. */
  focusCell({ task }: Entry, rect: Rect, at: number, of: number): void {
    place(this.cell, rect);
    this.cell.setAttribute(
      'aria-label',
      t('{0}, {1}, {2} of {3}', task.name, statusText(task), numberText(at + 1), numberText(of)),
    );
    if (!this.cell.isConnected) this.moving.append(this.cell);
    this.cell.focus({ preventScroll: true });
  }

  /** Moves the elements to where the camera sees them. */
  follow({ x, y, zoom }: Camera): void {
    this.moving.style.transform = `scale(${zoom}) translate(${-x}px, ${-y}px)`;
    if (zoom === this.zoom) return;
    this.zoom = zoom;
    // Every element inherits it: more than the browser should look at in each frame.
    this.moving.style.setProperty('--ring', `${2 / zoom}px`);
  }

  private make(key: string): HTMLButtonElement {
    const button = element('button', 'item');
    button.type = 'button';
    button.tabIndex = -1;
    button.dataset.key = key;
    button.addEventListener('focus', () => this.act.focused(key));
    button.addEventListener('click', () => this.act.pressed(key));
    return button;
  }

  private setReachable(key: string): void {
    const before = this.reachable === null ? undefined : this.buttons.get(this.reachable);
    if (before !== undefined) before.tabIndex = -1;
    const button = this.buttons.get(key);
    if (button !== undefined) button.tabIndex = 0;
    this.reachable = key;
  }
}

function place({ style }: HTMLElement, { x, y, width, height }: Rect): void {
  style.left = `${x}px`;
  style.top = `${y}px`;
  style.width = `${width}px`;
  style.height = `${height}px`;
}

function set(target: Element, name: string, value: string): void {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}
