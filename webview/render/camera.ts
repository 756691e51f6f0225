/** Which part of the picture is seen: pure arithmetic. */
import type { Rect } from '../layout/place.ts';

export interface Camera {
  /** Point of the picture in the upper left corner of the view. */
  readonly x: number;
  readonly y: number;
  /** Pixels of the screen for one unit of the picture. */
  readonly zoom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const leastZoom = 0.02;
export const mostZoom = 3;

/** Zooms by a factor, the point of the view at x, y staying where it is. */
export function zoomed(camera: Camera, factor: number, x: number, y: number): Camera {
  const zoom = Math.min(mostZoom, Math.max(leastZoom, camera.zoom * factor));
  return { x: camera.x + x / camera.zoom - x / zoom, y: camera.y + y / camera.zoom - y / zoom, zoom };
}

export function panned(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.zoom, y: camera.y - dy / camera.zoom };
}

/** All of a rectangle, in the middle, and not larger than life. */
export function fitted(rect: Rect, view: Size, most = 1): Camera {
  const margin = 24;
  const across = (view.width - 2 * margin) / Math.max(1, rect.width);
  const down = (view.height - 2 * margin) / Math.max(1, rect.height);
  const zoom = Math.min(most, Math.max(leastZoom, Math.min(across, down)));
  return centred({ x: rect.x + rect.width / 2, y: rect.y + rect.height / 2 }, view, zoom);
}

export function centred(point: { x: number; y: number }, view: Size, zoom: number): Camera {
  return { x: point.x - view.width / 2 / zoom, y: point.y - view.height / 2 / zoom, zoom };
}

/** As little movement as it takes to see a rectangle. */
export function revealing(camera: Camera, rect: Rect, view: Size): Camera {
  const margin = 32 / camera.zoom;
  const [width, height] = [view.width / camera.zoom, view.height / camera.zoom];
  const along = (from: number, length: number, start: number, extent: number) => {
    if (length + 2 * margin > extent) return start - margin;
    if (start < from + margin) return start - margin;
    return start + length + margin > from + extent ? start + length + margin - extent : from;
  };
  return {
    x: along(camera.x, rect.width, rect.x, width),
    y: along(camera.y, rect.height, rect.y, height),
    zoom: camera.zoom,
  };
}

/** The part of the picture that a camera sees. */
export function seen({ x, y, zoom }: Camera, view: Size): Rect {
  return { x, y, width: view.width / zoom, height: view.height / zoom };
}

export function between(a: Camera, b: Camera, t: number): Camera {
  return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t, zoom: a.zoom + (b.zoom - a.zoom) * t };
}

export function overlaps(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

export function contains(rect: Rect, x: number, y: number): boolean {
  return x >= rect.x && y >= rect.y && x < rect.x + rect.width && y < rect.y + rect.height;
}

/** Whether all of `inner` is within `outer`. */
export function covers(outer: Rect, inner: Rect): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    outer.x + outer.width >= inner.x + inner.width &&
    outer.y + outer.height >= inner.y + inner.height
  );
}
