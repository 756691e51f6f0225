/** What keys do while the graph has the focus. Enter and Space are the buttons' own. */
import type { Direction } from './walk.ts';

export interface KeyActions {
  walk(direction: Direction): void;
  into(): void;
  out(): void;
  zoom(factor: number): void;
  fit(): void;
  pan(dx: number, dy: number): void;
}

const arrows: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};
const steps = { left: [80, 0], right: [-80, 0], up: [0, 80], down: [0, -80] } as const;

export function onKeys(target: HTMLElement, act: KeyActions): void {
  target.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = arrows[event.key];
    if (arrow !== undefined && event.shiftKey) {
      const [dx, dy] = steps[arrow];
      act.pan(dx, dy);
    } else if (arrow !== undefined) act.walk(arrow);
    else if (event.key === 'PageDown') act.into();
    else if (event.key === 'PageUp' || event.key === 'Escape') act.out();
    else if (event.key === '+' || event.key === '=') act.zoom(1.25);
    else if (event.key === '-') act.zoom(0.8);
    else if (event.key === '0') act.fit();
    else return;
    event.preventDefault();
  });
}
