/** How a line of a tree looks. */
import type { Icon } from '../statuses.ts';

export interface Look {
  /** Stable for as long as the node lives, and unlike any other's. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly icon: Icon;
  /** Words for when-clauses of menus. */
  readonly context: string;
  readonly isParent: boolean;
  /** What a screen reader says. It has no times that go on, or it would say them again and again. */
  readonly spoken: string;
}
