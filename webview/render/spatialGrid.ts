/** Finds what is in a part of the picture without a look at everything. */
import type { Rect } from '../layout/place.ts';
import { overlaps } from './camera.ts';

const side = 600;

export class SpatialGrid<Thing> {
  private readonly squares = new Map<string, number[]>();
  private readonly things: { readonly thing: Thing; readonly rect: Rect; seen: number }[] = [];
  private looks = 0;

  /** Things are found in the order in which they were added. */
  add(thing: Thing, rect: Rect): void {
    const number = this.things.push({ thing, rect, seen: 0 }) - 1;
    for (const key of keys(rect)) {
      const square = this.squares.get(key);
      if (square === undefined) this.squares.set(key, [number]);
      else square.push(number);
    }
  }

  within(rect: Rect): Thing[] {
    const squares = Math.ceil(rect.width / side + 1) * Math.ceil(rect.height / side + 1);
    if (squares > this.things.length) {
      return this.things.filter((each) => overlaps(each.rect, rect)).map(({ thing }) => thing);
    }
    this.looks += 1;
    const found: number[] = [];
    for (const key of keys(rect)) {
      for (const number of this.squares.get(key) ?? []) {
        const each = this.things[number];
        if (each === undefined || each.seen === this.looks) continue;
        each.seen = this.looks;
        if (overlaps(each.rect, rect)) found.push(number);
      }
    }
    return found.sort((a, b) => a - b).flatMap((number) => this.things[number]?.thing ?? []);
  }
}

function* keys({ x, y, width, height }: Rect): Generator<string> {
  for (let column = Math.floor(x / side); column <= Math.floor((x + width) / side); column++) {
    for (let row = Math.floor(y / side); row <= Math.floor((y + height) / side); row++)
      yield `${column},${row}`;
  }
}
