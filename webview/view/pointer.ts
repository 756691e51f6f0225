/** What mouse, pen and fingers do on the picture: drag to move it, wheel or pinch to zoom, click to select. */

export interface PointerActions {
  pan(dx: number, dy: number): void;
  zoom(factor: number, x: number, y: number): void;
  click(x: number, y: number, twice: boolean): void;
}

/** A press that moves less than this is a click. Pixels. */
const still = 4;

export function onPointer(target: HTMLElement, act: PointerActions): void {
  const pressed = new Map<number, { x: number; y: number }>();
  let moved = 0;
  const place = ({ clientX, clientY }: MouseEvent) => {
    const { left, top } = target.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  target.addEventListener('pointerdown', (event) => {
    if (event.button > 1) return;
    target.setPointerCapture(event.pointerId);
    pressed.set(event.pointerId, place(event));
    moved = 0;
  });
  target.addEventListener('pointermove', (event) => {
    const from = pressed.get(event.pointerId);
    if (from === undefined) return;
    const to = place(event);
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const others = [...pressed].filter(([id]) => id !== event.pointerId);
    const other = others[0]?.[1];
    pressed.set(event.pointerId, to);
    moved += Math.abs(dx) + Math.abs(dy);
    if (other === undefined) {
      if (moved > still) act.pan(dx, dy);
      return;
    }
    const before = Math.hypot(from.x - other.x, from.y - other.y);
    const after = Math.hypot(to.x - other.x, to.y - other.y);
    if (before > 0) act.zoom(after / before, (to.x + other.x) / 2, (to.y + other.y) / 2);
  });
  const release = (event: PointerEvent) => pressed.delete(event.pointerId);
  target.addEventListener('pointerup', (event) => {
    if (pressed.delete(event.pointerId) && moved <= still && event.button === 0) {
      const { x, y } = place(event);
      act.click(x, y, false);
    }
  });
  target.addEventListener('pointercancel', release);
  target.addEventListener('dblclick', (event) => {
    const { x, y } = place(event);
    act.click(x, y, true);
  });
  target.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const { x, y } = place(event);
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      if (event.shiftKey) act.pan(-(event.deltaX || event.deltaY) * lines, 0);
      // A pinch comes as a wheel with Ctrl, in small steps.
      else act.zoom(Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 100 : 400)), x, y);
    },
    { passive: false },
  );
}
