/** The controls of the page: the one file that knows which library they come from. */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';

provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodeProgressRing(),
  vsCodeTextField(),
);

export function button(
  text: string,
  act: () => void,
  appearance: 'primary' | 'secondary' = 'secondary',
): HTMLElement {
  const made = document.createElement('vscode-button');
  made.setAttribute('appearance', appearance);
  made.textContent = text;
  made.addEventListener('click', act);
  return made;
}

/** A button that is a sign; `label` says what it does. */
export function iconButton(sign: string, label: string, act: () => void): HTMLElement {
  const made = document.createElement('vscode-button');
  made.setAttribute('appearance', 'icon');
  made.setAttribute('aria-label', label);
  made.title = label;
  made.textContent = sign;
  made.addEventListener('click', act);
  return made;
}

export interface Field {
  readonly element: HTMLElement;
  value: string;
}

export function searchField(label: string, changed: (text: string) => void): Field {
  const element = document.createElement('vscode-text-field') as HTMLElement & { value: string };
  element.setAttribute('placeholder', label);
  element.setAttribute('aria-label', label);
  element.addEventListener('input', () => changed(element.value));
  return {
    element,
    get value() {
      return element.value;
    },
    set value(text) {
      element.value = text;
    },
  };
}

export function checkbox(
  label: string,
  changed: (checked: boolean) => void,
): HTMLElement & { checked: boolean } {
  const made = document.createElement('vscode-checkbox') as HTMLElement & { checked: boolean };
  made.textContent = label;
  made.addEventListener('change', () => changed(made.checked));
  return made;
}

/** A choice of one; the first is chosen. */
export function dropdown(
  label: string,
  options: readonly { readonly value: string; readonly text: string }[],
  changed: (value: string) => void,
): HTMLElement {
  const made = document.createElement('vscode-dropdown') as HTMLElement & { value: string };
  made.setAttribute('aria-label', label);
  for (const { value, text } of options) {
    const option = document.createElement('vscode-option');
    option.setAttribute('value', value);
    option.textContent = text;
    made.append(option);
  }
  made.addEventListener('change', () => changed(made.value));
  return made;
}

export function progressRing(label: string): HTMLElement {
  const made = document.createElement('vscode-progress-ring');
  made.setAttribute('aria-label', label);
  return made;
}
