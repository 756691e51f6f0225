/** The whole picture in a corner, with what is seen of it; a click or drag goes there. */

import type { Rect } from '../layout/place.ts';
import { paintBar } from './bar.ts';
import { type Camera, covers, type Size, seen } from './camera.ts';
import type { Scene } from './scene.ts';
import type { Theme } from './theme.ts';

const size: Size = { width: 180, height: 120 };
/** In a smaller view it would hide what it is a map of. Pixels. */
const leastView: Size = { width: 400, height: 320 };
/** So many boxes and tasks are drawn; more could not be told apart. */
const most = 2_000;

export class Minimap {
  readonly canvas = document.createElement('canvas');
  private scale = 1;
  /** Point of the picture in the upper left corner. */
  private origin = { x: 0, y: 0 };
  private bounds: Rect = { x: 0, y: 0, width: 1, height: 1 };
  private readonly picture = document.createElement('canvas');

  /** @param go what to do when the person points at a place of the picture. */
  constructor(go: (x: number, y: number) => void) {
    this.canvas.className = 'minimap';
    this.canvas.setAttribute('aria-hidden', 'true');
    const point = (event: PointerEvent) => {
      if (event.buttons === 0) return;
      const { left, top } = this.canvas.getBoundingClientRect();
      go(
        this.origin.x + (event.clientX - left) / this.scale,
        this.origin.y + (event.clientY - top) / this.scale,
      );
      event.stopPropagation();
    };
    this.canvas.addEventListener('pointerdown', (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      point(event);
    });
    this.canvas.addEventListener('pointermove', point);
    for (const canvas of [this.canvas, this.picture]) {
      canvas.width = size.width;
      canvas.height = size.height;
    }
  }

  /** Draws the picture anew. Not needed in every frame. */
  paint(scene: Scene, theme: Theme): void {
    const context = this.picture.getContext('2d');
    if (context === null) return;
    this.bounds = scene.bounds;
    const { x, y, width, height } = scene.bounds;
    this.scale = Math.min(size.width / width, size.height / height);
    // The picture is in the middle of the map.
    this.origin = {
      x: x - (size.width / this.scale - width) / 2,
      y: y - (size.height / this.scale - height) / 2,
    };
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = theme.surface;
    context.fillRect(0, 0, size.width, size.height);
    context.setTransform(
      this.scale,
      0,
      0,
      this.scale,
      -this.origin.x * this.scale,
      -this.origin.y * this.scale,
    );
    let left = most;
    for (const { item, rect } of scene.nodes.values()) {
      if (left-- === 0) break;
      context.globalAlpha = 0.6;
      if (item.kind === 'stack') paintBar(context, rect, item.stack, theme);
      else {
        const isLeaf = item.kind === 'task';
        context.fillStyle = isLeaf ? theme.status[item.entry.task.status] : theme.faint;
        context.globalAlpha = isLeaf ? 1 : 0.2;
        context.fillRect(rect.x, rect.y, rect.width, rect.height);
      }
    }
    context.globalAlpha = 1;
  }

  /** Shows the picture and what the camera sees of it; nothing where it sees everything. */
  show(camera: Camera, view: Size, theme: Theme): void {
    const context = this.canvas.getContext('2d');
    if (context === null) return;
    const rect = seen(camera, view);
    this.canvas.hidden =
      view.width < leastView.width || view.height < leastView.height || covers(rect, this.bounds);
    if (this.canvas.hidden) return;
    context.drawImage(this.picture, 0, 0);
    context.strokeStyle = theme.focus;
    context.lineWidth = 1.5;
    const { x, y } = this.origin;
    context.strokeRect(
      (rect.x - x) * this.scale,
      (rect.y - y) * this.scale,
      rect.width * this.scale,
      rect.height * this.scale,
    );
  }
}
