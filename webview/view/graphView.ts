/** The picture of one run: canvas, elements over it, minimap, and what pointer and keyboard do there. */

import { t } from '@vscode/l10n';
import { Layouter } from '../layout/layouter.ts';
import type { Places, Rect } from '../layout/place.ts';
import { outlineOf } from '../layout/sizes.ts';
import { type Camera, centred, overlaps, panned, zoomed } from '../render/camera.ts';
import { draw } from '../render/draw.ts';
import { Minimap } from '../render/minimap.ts';
import { hit, memberOf, type Node, rectOf, type Scene, type Spot, sceneOf } from '../render/scene.ts';
import { readTheme, type Theme } from '../render/theme.ts';
import { type BoxItem, type Folds, planOf } from '../state/plan.ts';
import type { Entry } from '../state/tasks.ts';
import { AccessLayer } from './accessLayer.ts';
import { element } from './dom.ts';
import { onKeys } from './keys.ts';
import { onPointer } from './pointer.ts';
import { Viewpoint } from './viewpoint.ts';
import { into, next, outOf } from './walk.ts';

/** How often the picture is laid out anew, and the elements are described anew, while much changes. */
const planMs = 150;
const describeMs = 500;
const restMs = 200;
/** Above this number of items only those near the view have elements. */
const mostElements = 600;

export interface GraphState {
  readonly camera: Camera | null;
  readonly folds: readonly (readonly [string, boolean])[];
}

export class GraphView {
  readonly root = element('div', 'graph empty');
  matches: ((entry: Entry) => boolean) | null = null;
  private readonly canvas = element('canvas', '');
  private readonly context = this.canvas.getContext('2d', { alpha: false });
  private readonly minimap = new Minimap((x, y) =>
    this.from.look(centred({ x, y }, this.from.size, this.from.camera.zoom)),
  );
  private readonly access: AccessLayer;
  private readonly layouter: Layouter<BoxItem>;
  private readonly folds: Folds;
  /** What was opened because there was room. */
  private readonly opened = new Set<string>();
  private readonly from: Viewpoint;
  private theme: Theme = readTheme();
  private scene: Scene | null = null;
  private run: Entry | null = null;
  private selected: string | null = null;
  /** A task to be shown as soon as it is in the picture. */
  private wanted: string | null = null;
  private frame = 0;
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
    this.from = new Viewpoint(saved?.camera ?? null, { changed: () => this.redraw(), moved: act.moved });
    this.layouter = new Layouter(worker, (plan, places) => this.arrive(plan, places));
    this.access = new AccessLayer(t('Graph of the run'), {
      focused: (key) => this.attend(key),
      pressed: (key) => this.toggle(key),
    });
    this.canvas.setAttribute('aria-hidden', 'true');
    this.root.append(this.canvas, this.access.root, this.minimap.canvas);
    new ResizeObserver(() => this.resize()).observe(this.root);
    const pan = (dx: number, dy: number) => this.from.look(panned(this.from.camera, dx, dy));
    onPointer(this.root, {
      pan,
      zoom: (factor, x, y) => this.from.look(zoomed(this.from.camera, factor, x, y)),
      click: (x, y, twice) => this.click(x, y, twice),
    });
    onKeys(this.access.root, {
      walk: (direction) => this.go((scene, spot) => next(scene, spot, direction)),
      out: () => this.go((scene, spot) => spot && outOf(scene, spot)),
      into: () => this.go((scene, spot) => spot && into(scene, spot)),
      zoom: (factor) => this.zoom(factor),
      fit: () => this.fit(),
      pan,
    });
  }

  /** What to keep over a reload. */
  get state(): GraphState {
    return { camera: this.from.placed ? this.from.camera : null, folds: [...this.folds] };
  }

  /** Shows a run, whose tasks may still be coming; `soon` where the last that was waited for has come. */
  show(run: Entry | null, soon: boolean): void {
    this.run = run;
    this.replan(soon);
  }

  /** The tasks have come or gone, or something opens or closes. */
  private replan(soon: boolean): void {
    const now = () => {
      this.planTimer = 0;
      if (this.run === null) return;
      const plan = planOf(this.run, this.folds, this.opened);
      this.layouter.ask(plan, outlineOf(plan));
    };
    // Neither the first picture is kept waiting, nor what the person has asked for.
    if (soon || this.scene === null) {
      clearTimeout(this.planTimer);
      now();
    } else this.planTimer ||= setTimeout(now, planMs);
  }

  /** Tasks look different: draws the next frame, and describes them anew before long. */
  refresh(): void {
    this.redraw();
    this.describeTimer ||= setTimeout(() => {
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
  private reveal(id: string): void {
    const parts = id.split('/');
    for (let length = 1; length < parts.length; length++) {
      const above = parts.slice(0, length).join('/');
      if (this.folds.get(above) !== true) {
        this.folds.set(above, true);
        this.replan(true);
      }
    }
    this.wanted = id;
    this.seek();
  }

  /** Brings tasks into view, all at once where they fit. */
  showAll(entries: readonly Entry[]): void {
    this.from.revealAll(entries.flatMap(({ task }) => this.spotOf(task.id) ?? []).map(rectOf));
  }

  fit(): void {
    if (this.scene !== null) this.from.fit(this.scene.bounds);
  }

  zoom(factor: number): void {
    this.from.zoom(factor);
  }

  focus(): void {
    const spot = this.spotOf(this.selected) ?? this.spotOf(this.scene?.root.key ?? null);
    if (spot !== null) this.focusOn(spot);
  }

  private arrive(plan: BoxItem, places: Places): void {
    const before = this.scene;
    this.scene = sceneOf(plan, places);
    this.from.settle(this.scene.bounds);
    if (this.from.placed && before !== null) this.keepStill(before, this.scene);
    this.access.update(this.scene, this.near(this.scene));
    this.access.select(this.selected);
    this.stale = true;
    this.seek();
    this.redraw();
  }

  /** What the person looks at stays where it is on the screen, whatever was added around it. */
  private keepStill(before: Scene, after: Scene): void {
    const { x, y, width, height } = this.from.seen;
    const chosen = this.selected === null ? undefined : before.nodes.get(this.selected);
    const anchor = chosen ?? hit(before, x + width / 2, y + height / 2)?.node;
    const moved = anchor && after.nodes.get(anchor.item.key);
    if (anchor === undefined || moved === undefined) return;
    this.from.shift(moved.rect.x - anchor.rect.x, moved.rect.y - anchor.rect.y);
  }

  /** What has an element: all, or of a very large picture what is in or near the view. */
  private near(scene: Scene): Node[] {
    if (scene.nodes.size <= mostElements) return [...scene.nodes.values()];
    const { x, y, width, height } = this.from.seen;
    const around = { x: x - width / 2, y: y - height / 2, width: 2 * width, height: 2 * height };
    return scene.nodeGrid.within(around).slice(0, mostElements);
  }

  private seek(): void {
    const spot = this.spotOf(this.wanted);
    if (spot === null) return;
    this.wanted = null;
    this.from.reveal(rectOf(spot), true);
  }

  /** Where a task or another item is: by itself, or in a stack. */
  private spotOf(key: string | null): Spot | null {
    return key === null ? null : (this.scene?.spotOf(key) ?? null);
  }

  private click(x: number, y: number, twice: boolean): void {
    if (this.scene === null) return;
    const { camera } = this.from;
    const at = { x: camera.x + x / camera.zoom, y: camera.y + y / camera.zoom };
    const found = hit(this.scene, at.x, at.y);
    if (found === null) return this.choose(null);
    const { node } = found;
    const member = memberOf(found);
    if (member !== null) {
      this.choose(member.task.id);
      if (twice && member.children.length > 0) this.toggleKey(member.task.id, true);
      return;
    }
    this.choose(node.item.key);
    this.focusOn(found);
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
    if (this.selected !== key) this.choose(key);
    this.from.reveal(headOf({ node, at: null }));
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
    this.from.placed = true;
    this.act.moved();
    this.replan(true);
  }

  /** Gives the focus to what a key leads to. */
  private go(step: (scene: Scene, from: Spot | null) => Spot | null): void {
    const { scene } = this;
    const to = scene === null ? null : step(scene, scene.spotOf(this.selected ?? scene.root.key));
    if (to !== null) this.focusOn(to);
  }

  private focusOn(spot: Spot): void {
    if (this.scene === null) return;
    const { node, at } = spot;
    const member = memberOf(spot);
    if (member === null || at === null || node.item.kind !== 'stack')
      return this.access.focus(node, this.scene);
    const rect = rectOf(spot);
    this.choose(member.task.id);
    this.from.reveal(rect);
    this.access.focusCell(member, rect, at, node.item.stack.members.length);
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.root;
    if (width === 0 || height === 0) return;
    const chosen = this.spotOf(this.selected);
    const head = chosen === null ? null : headOf(chosen);
    const wasSeen = head !== null && overlaps(head, this.from.seen);
    this.from.size = { width, height };
    this.canvas.width = Math.round(width * devicePixelRatio);
    this.canvas.height = Math.round(height * devicePixelRatio);
    if (this.scene !== null) this.from.settle(this.scene.bounds);
    // The panel of what is selected must not hide it.
    if (wasSeen && this.from.placed) this.from.reveal(head);
    this.redraw();
  }

  private redraw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const { scene, context, theme, selected, matches } = this;
      if (scene === null || context === null) return;
      const { camera, size } = this.from;
      draw(context, size, devicePixelRatio, scene, camera, theme, { selected, matches });
      this.access.follow(camera);
      if (this.stale) this.minimap.paint(scene, theme);
      this.stale = false;
      this.minimap.show(camera, size, theme);
      this.root.classList.remove('empty');
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

/** What has to be seen of what is selected: of a box, its head. */
function headOf(spot: Spot): Rect {
  const rect = rectOf(spot);
  return spot.node.item.kind === 'box'
    ? { ...rect, width: Math.min(rect.width, 240), height: Math.min(rect.height, 60) }
    : rect;
}
