/** Has the agent look, from time to time, at who uses the GPUs of its machine. */
import { decodeBytes } from '../protocol/bytes.ts';
import { gpusOrder } from './agent/orders.ts';
import { readGpuUse } from './gpuUse.ts';
import type { GpuUse } from './host.ts';
import type { Site } from './machine.ts';

/** Milliseconds from the end of a look to the next. A driver that hangs is not asked again. */
const defaultInterval = 10_000;

export class GpuWatch {
  private site: Site | null = null;
  private order: () => void = () => {};
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly report: (use: readonly GpuUse[]) => void,
    private readonly interval = defaultInterval,
  ) {}

  /** There is an agent: looks at once, if there are any GPUs. */
  attach(site: Site, send: (order: string) => void): void {
    this.detach();
    if (site.facts.gpus.length === 0) return;
    this.site = site;
    this.order = () => send(gpusOrder());
    this.order();
  }

  detach(): void {
    this.site = null;
    if (this.timer) clearTimeout(this.timer);
  }

  /** The agent has left what it found. */
  async looked(): Promise<void> {
    const { site } = this;
    if (!site) return;
    try {
      const found = await site.files.read(`${site.paths.folder}/gpus`);
      if (this.site !== site) return;
      this.report(found === null ? [] : readGpuUse(decodeBytes(found)));
    } catch {
      // The connection is being lost, or the next look is luckier.
    }
    if (this.site !== site) return;
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(this.order, this.interval);
  }
}
