/** Where the person looks: the camera, the size of the view, and how the one glides to another place. */
import type { Rect } from '../layout/place.ts';
import { between, type Camera, fitted, revealing, type Size, seen, zoomed } from '../render/camera.ts';
import { reducedMotion } from './dom.ts';

const glideMs = 180;

export class Viewpoint {
  camera: Camera;
  size: Size = { width: 0, height: 0 };
  /** Whether the camera was placed by the person, or before the page was reloaded. */
  placed: boolean;
  private glide = 0;

  /** @param act what to do in each frame that is seen from elsewhere, and once the person has moved. */
  constructor(
    saved: Camera | null,
    private readonly act: { changed(): void; moved(): void },
  ) {
    this.camera = saved ?? { x: 0, y: 0, zoom: 1 };
    this.placed = saved !== null;
  }

  /** The part of the picture that is seen. */
  get seen(): Rect {
    return seen(this.camera, this.size);
  }

  /** Looks from here at once. */
  look(camera: Camera): void {
    cancelAnimationFrame(this.glide);
    this.camera = camera;
    this.placed = true;
    this.act.moved();
    this.act.changed();
  }

  /** Zooms by a factor, the middle staying where it is. */
  zoom(factor: number): void {
    this.look(zoomed(this.camera, factor, this.size.width / 2, this.size.height / 2));
  }

  /** Sees a rectangle with as little movement as it takes; from near enough where `near`. */
  reveal(rect: Rect, near = false): void {
    const from = near && this.camera.zoom < 0.5 ? { ...this.camera, zoom: 0.8 } : this.camera;
    this.placed = true;
    this.glideTo(revealing(from, rect, this.size));
  }

  /** Sees several rectangles at once, or the first where they do not fit. */
  revealAll(rects: readonly Rect[]): void {
    const [first] = rects;
    if (first === undefined) return;
    const x = Math.min(...rects.map((rect) => rect.x));
    const y = Math.min(...rects.map((rect) => rect.y));
    const width = Math.max(...rects.map((rect) => rect.x + rect.width)) - x;
    const height = Math.max(...rects.map((rect) => rect.y + rect.height)) - y;
    const { zoom } = this.camera;
    const fits = width * zoom < this.size.width && height * zoom < this.size.height;
    this.glideTo(revealing(this.camera, fits ? { x, y, width, height } : first, this.size));
  }

  /** Sees all of the picture, also while it grows. */
  fit(bounds: Rect): void {
    this.placed = false;
    this.glideTo(fitted(bounds, this.size));
  }

  /** The picture has become another one, or the view has another size. */
  settle(bounds: Rect): void {
    if (!this.placed) this.camera = fitted(bounds, this.size);
  }

  /** Moves along with what is looked at. */
  shift(dx: number, dy: number): void {
    this.camera = { ...this.camera, x: this.camera.x + dx, y: this.camera.y + dy };
  }

  private glideTo(target: Camera): void {
    cancelAnimationFrame(this.glide);
    const from = this.camera;
    const start = performance.now();
    const step = (now: number) => {
      const t = reducedMotion() ? 1 : Math.min(1, Math.max(0, (now - start) / glideMs));
      this.camera = between(from, target, t * (2 - t));
      this.act.changed();
      if (t < 1) this.glide = requestAnimationFrame(step);
    };
    step(start);
    this.act.moved();
  }
}
