/** The picture of one run: canvas, elements over it, minimap, and what pointer and keyboard do there. */

import { Layouter } from '../layout/layouter.ts';
import { cell } from '../layout/measures.ts';
import type { Places, Rect } from '../layout/place.ts';
import { outlineOf } from '../layout/sizes.ts';
import {
  between,
  type Camera,
  centred,
  fitted,
  panned,
  revealing,
  type Size,
  seen,
  zoomed,
} from '../render/camera.ts';
import { draw } from '../render/draw.ts';
import { Minimap } from '../render/minimap.ts';
import { cellRect, hit, type Node, type Scene, sceneOf } from '../render/scene.ts';
import { readTheme, type Theme } from '../render/theme.ts';
import { type BoxItem, type Folds, planOf } from '../state/plan.ts';
import type { Entry } from '../state/tasks.ts';
import { AccessLayer } from './accessLayer.ts';
import { element, reducedMotion } from './dom.ts';
import { onKeys } from './keys.ts';
import { onPointer } from './pointer.ts';
import { type Direction, next } from './walk.ts';

/** How often the picture is laid out anew, and the elements are described anew, while much changes. */
const planMs = 150;
const describeMs = 500;
const glideMs = 180;
const restMs = 200;
/** Above this number of items only those near the view have elements. */
const mostElements = 600;

export interface GraphState {
  readonly camera: Camera | null;
  readonly folds: readonly (readonly [string, boolean])[];
}

export class GraphView {
  readonly root = element('div', 'graph');
  matches: ((entry: Entry) => boolean) | null = null;
  private readonly canvas = element('canvas', '');
  private readonly context = this.canvas.getContext('2d', { alpha: false });
  private readonly minimap = new Minimap((x, y) => this.look(centred({ x, y }, this.size, this.camera.zoom)));
  private readonly access: AccessLayer;
  private readonly layouter: Layouter<BoxItem>;
  private readonly folds: Folds;
  /** What was opened because there was room. */
  private readonly opened = new Set<string>();
  private theme: Theme = readTheme();
  private scene: Scene | null = null;
  private camera: Camera;
  /** Whether the camera was placed by the person, or before the page was reloaded. */
  private placed: boolean;
  private size: Size = { width: 1, height: 1 };
  private run: Entry | null = null;
  private selected: string | null = null;
  /** A task to be shown as soon as it is in the picture. */
  private wanted: string | null = null;
  private frame = 0;
  private glide = 0;
  private planTimer = 0;
  private describeTimer = 0;
  private restTimer = 0;
  private stale = true;

  constructor(
    worker: Worker,
    saved: GraphState | null,
    private readonly act: { selected(id: string | null): void; moved(): void },
  ) {
    this.folds = new Map(saved?.folds);
    this.camera = saved?.camera ?? { x: 0, y: 0, zoom: 1 };
    this.placed = saved?.camera != null;
    this.layouter = new Layouter(worker, (plan, places) => this.arrive(plan, places));
    this.access = new AccessLayer('Graph of the run', {
      focused: (key) => this.attend(key),
      pressed: (key) => this.toggle(key),
    });
    this.canvas.setAttribute('aria-hidden', 'true');
    this.root.append(this.canvas, this.access.root, this.minimap.canvas);
    new ResizeObserver(() => this.resize()).observe(this.root);
    onPointer(this.root, {
      pan: (dx, dy) => this.look(panned(this.camera, dx, dy)),
      zoom: (factor, x, y) => this.look(zoomed(this.camera, factor, x, y)),
      click: (x, y, twice) => this.click(x, y, twice),
    });
    onKeys(this.access.root, {
      walk: (direction) => this.walk(direction),
      out: () => this.leave(),
      into: () => this.enter(),
      zoom: (factor) => this.zoom(factor),
      fit: () => this.fit(),
      pan: (dx, dy) => this.look(panned(this.camera, dx, dy)),
    });
  }

  /** What to keep over a reload. */
  get state(): GraphState {
    return { camera: this.placed ? this.camera : null, folds: [...this.folds] };
  }

  /** Shows a run, whose tasks may still be coming. */
  show(run: Entry | null): void {
    this.run = run;
    this.replan();
  }

  /** The tasks have come or gone, or something opens or closes. */
  replan(): void {
    if (this.planTimer !== 0) return;
    const now = () => {
      this.planTimer = 0;
      if (this.run === null) return;
      const plan = planOf(this.run, this.folds, this.opened);
      this.layouter.ask(plan, outlineOf(plan));
    };
    // The first picture is not kept waiting.
    if (this.scene === null) now();
    else this.planTimer = setTimeout(now, planMs);
  }

  /** Tasks look different: draws the next frame, and describes them anew before long. */
  refresh(): void {
    this.redraw();
    if (this.describeTimer !== 0) return;
    this.describeTimer = setTimeout(() => {
      this.describeTimer = 0;
      this.stale = true;
      if (this.scene !== null) this.access.describe(this.scene);
      this.redraw();
    }, describeMs);
  }

  retheme(): void {
    this.theme = readTheme();
    this.stale = true;
    this.redraw();
  }

  /** Marks a task as selected, and shows where it is. */
  select(id: string | null, reveal: boolean): void {
    this.selected = id;
    this.access.select(id);
    if (reveal && id !== null) this.reveal(id);
    this.redraw();
  }

  /** Opens what a task lies in, and brings it into view. */
  reveal(id: string): void {
    const parts = id.split('/');
    for (let length = 1; length < parts.length; length++) {
      const above = parts.slice(0, length).join('/');
      if (this.folds.get(above) !== true) {
        this.folds.set(above, true);
        this.replan();
      }
    }
    this.wanted = id;
    this.seek();
  }

  /** Brings tasks into view, all at once where they fit. */
  showAll(entries: readonly Entry[]): void {
    const rects = entries.flatMap((entry) => this.rectOf(entry.task.id) ?? []);
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

  fit(): void {
    if (this.scene === null) return;
    this.placed = false;
    this.glideTo(fitted(this.scene.bounds, this.size));
  }

  zoom(factor: number): void {
    this.look(zoomed(this.camera, factor, this.size.width / 2, this.size.height / 2));
  }

  focus(): void {
    const key = this.scene?.nodes.has(this.selected ?? '') === true ? this.selected : this.scene?.root.key;
    if (key != null) this.focusOn(key);
  }

  private arrive(plan: BoxItem, places: Places): void {
    const before = this.scene;
    this.scene = sceneOf(plan, places);
    if (!this.placed) this.camera = fitted(this.scene.bounds, this.size);
    else if (before !== null) this.keepStill(before, this.scene);
    this.access.update(this.scene, this.near(this.scene));
    this.access.select(this.selected);
    this.stale = true;
    this.seek();
    this.redraw();
  }

  /** What the person looks at stays where it is on the screen, whatever was added around it. */
  private keepStill(before: Scene, after: Scene): void {
    const x = this.camera.x + this.size.width / 2 / this.camera.zoom;
    const y = this.camera.y + this.size.height / 2 / this.camera.zoom;
    const chosen = this.selected === null ? undefined : before.nodes.get(this.selected);
    const anchor = chosen ?? hit(before, x, y)?.node;
    const moved = anchor && after.nodes.get(anchor.item.key);
    if (anchor === undefined || moved === undefined) return;
    const [dx, dy] = [moved.rect.x - anchor.rect.x, moved.rect.y - anchor.rect.y];
    this.camera = { ...this.camera, x: this.camera.x + dx, y: this.camera.y + dy };
  }

  private focusOn(key: string): void {
    const node = this.scene?.nodes.get(key);
    if (node !== undefined && this.scene !== null) this.access.focus(node, this.scene);
  }

  /** What has an element: all, or of a very large picture what is in or near the view. */
  private near(scene: Scene): Node[] {
    if (scene.nodes.size <= mostElements) return [...scene.nodes.values()];
    const { x, y, width, height } = seen(this.camera, this.size);
    const around = { x: x - width / 2, y: y - height / 2, width: 2 * width, height: 2 * height };
    return scene.nodeGrid.within(around).slice(0, mostElements);
  }

  private seek(): void {
    const rect = this.wanted === null ? null : this.rectOf(this.wanted);
    if (rect === null) return;
    this.wanted = null;
    const close = this.camera.zoom < 0.5 ? { ...this.camera, zoom: 0.8 } : this.camera;
    this.placed = true;
    this.glideTo(revealing(close, rect, this.size));
  }

  /** Where a task is: by itself, or as a cell of a stack. */
  private rectOf(id: string): Rect | null {
    const node = this.scene?.nodes.get(id);
    if (node !== undefined) return node.rect;
    for (const each of this.scene?.nodes.values() ?? []) {
      if (each.item.kind !== 'stack') continue;
      const at = each.item.stack.members.findIndex(({ task }) => task.id === id);
      if (at >= 0) return each.item.open ? cellRect(each, at) : each.rect;
    }
    return null;
  }

  private click(x: number, y: number, twice: boolean): void {
    if (this.scene === null) return;
    const at = { x: this.camera.x + x / this.camera.zoom, y: this.camera.y + y / this.camera.zoom };
    const found = hit(this.scene, at.x, at.y);
    if (found === null) return this.choose(null);
    const { node, member } = found;
    if (member !== null) {
      this.choose(member.task.id);
      if (twice && member.children.length > 0) this.toggleKey(member.task.id, true);
      return;
    }
    this.choose(node.item.key);
    this.focusOn(node.item.key);
    const onSign = at.x < node.rect.x + 30 && at.y < node.rect.y + 34;
    if (twice || (onSign && node.item.kind !== 'task')) this.toggle(node.item.key);
  }

  private choose(key: string | null): void {
    this.selected = key;
    this.access.select(key);
    this.act.selected(key);
    this.redraw();
  }

  private attend(key: string): void {
    const node = this.scene?.nodes.get(key);
    if (node === undefined) return;
    if (this.selected !== key) this.choose(node.item.key);
    this.placed = true;
    this.glideTo(revealing(this.camera, headOf(node), this.size));
  }

  private toggle(key: string): void {
    const item = this.scene?.nodes.get(key)?.item;
    if (item === undefined) return;
    if (item.kind === 'box') this.toggleKey(key, false);
    else if (item.kind === 'stack') this.toggleKey(key, !item.open);
    else if (item.kind === 'task' && item.entry.children.length > 0) this.toggleKey(key, true);
    else if (item.kind === 'task') this.choose(key);
  }

  private toggleKey(key: string, open: boolean): void {
    if (key === this.run?.task.id) return;
    this.folds.set(key, open);
    this.placed = true;
    this.act.moved();
    this.replan();
  }

  private walk(direction: Direction): void {
    const { scene } = this;
    if (scene === null) return;
    const inCell = this.stackOf(this.selected);
    if (inCell !== null) return this.walkCells(inCell.node, inCell.at, direction);
    const key = next(scene, this.selected ?? scene.root.key, direction);
    if (key !== null) this.focusOn(key);
  }

  private stackOf(id: string | null): { node: Node; at: number } | null {
    for (const node of this.scene?.nodes.values() ?? []) {
      if (node.item.kind !== 'stack' || !node.item.open) continue;
      const at = node.item.stack.members.findIndex(({ task }) => task.id === id);
      if (at >= 0) return { node, at };
    }
    return null;
  }

  private walkCells(node: Node, at: number, direction: Direction): void {
    if (node.item.kind !== 'stack') return;
    const { members } = node.item.stack;
    const across = Math.round((node.rect.width - 28 + cell.gap) / (cell.width + cell.gap));
    const step = { left: -1, right: 1, up: -across, down: across }[direction];
    const member = members[at + step];
    if (member === undefined) return this.focusOn(node.item.key);
    this.chooseCell(node, at + step);
  }

  private chooseCell(node: Node, at: number): void {
    if (node.item.kind !== 'stack') return;
    const { members } = node.item.stack;
    const member = members[at];
    if (member === undefined) return;
    const rect = cellRect(node, at);
    this.choose(member.task.id);
    this.glideTo(revealing(this.camera, rect, this.size));
    this.access.focusCell(member, rect, at, members.length);
  }

  private enter(): void {
    const node = this.scene?.nodes.get(this.selected ?? '');
    if (node?.item.kind === 'stack' && node.item.open) this.chooseCell(node, 0);
    else if (node?.item.kind === 'box' && node.item.items[0] !== undefined)
      this.focusOn(node.item.items[0].key);
  }

  private leave(): void {
    const inCell = this.stackOf(this.selected);
    if (inCell !== null) return this.focusOn(inCell.node.item.key);
    const parent = this.scene?.nodes.get(this.selected ?? '')?.item.parent;
    if (parent != null) this.focusOn(parent.key);
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.root;
    if (width === 0 || height === 0) return;
    this.size = { width, height };
    this.canvas.width = Math.round(width * devicePixelRatio);
    this.canvas.height = Math.round(height * devicePixelRatio);
    if (!this.placed && this.scene !== null) this.camera = fitted(this.scene.bounds, this.size);
    this.redraw();
  }

  /** The person moves the camera. */
  private look(camera: Camera): void {
    cancelAnimationFrame(this.glide);
    this.camera = camera;
    this.placed = true;
    this.act.moved();
    this.redraw();
  }

  private glideTo(target: Camera): void {
    cancelAnimationFrame(this.glide);
    const from = this.camera;
    const start = performance.now();
    const step = (now: number) => {
      const t = reducedMotion() ? 1 : Math.min(1, Math.max(0, (now - start) / glideMs));
      this.camera = between(from, target, t * (2 - t));
      this.redraw();
      if (t < 1) this.glide = requestAnimationFrame(step);
    };
    step(start);
    this.act.moved();
  }

  private redraw(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const { scene, context, theme, camera, size } = this;
      if (scene === null || context === null) return;
      const { selected, matches } = this;
      draw(context, size, devicePixelRatio, scene, camera, theme, { selected, matches });
      this.access.follow(camera);
      if (this.stale) this.minimap.paint(scene, theme);
      this.stale = false;
      this.minimap.show(camera, size, theme);
      if (scene.nodes.size > mostElements) this.rest();
    });
  }

  /** The camera may have come to rest: other things are near it now. */
  private rest(): void {
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => {
      if (this.scene !== null) this.access.update(this.scene, this.near(this.scene));
    }, restMs);
  }
}

/** What has to be seen of an item that has the focus: of a box, its head. */
function headOf({ item, rect }: Node): Rect {
  return item.kind === 'box'
    ? { ...rect, width: Math.min(rect.width, 240), height: Math.min(rect.height, 60) }
    : rect;
}
