/** Starts attempts on a machine that has been reached. */
import { encodeBytes } from '../protocol/bytes.ts';
import { sourceOrder, startOrder } from './agent/orders.ts';
import type { StartOrder } from './host.ts';
import { type PlannedFile, planLaunch } from './launch.ts';
import type { Site } from './machine.ts';
import type { Terminals } from './terminals.ts';

/** A longer order goes through a file: bash reads stdin byte by byte, some 2,000 a millisecond. Characters. */
const longOrder = 8_192;

export class Launcher {
  /** Environments that have been written since the machine was reached, or are being written. */
  private readonly environmentFiles = new Map<string, Promise<void>>();

  /** @param send gives an order to the machine's agent. */
  constructor(
    private readonly site: Site,
    private readonly terminals: Terminals,
    private readonly send: (order: string) => void,
  ) {}

  /** Writes what the attempt needs, and orders its start. */
  async launch(order: StartOrder): Promise<void> {
    const { site } = this;
    const { paths, cookie, variables, bash, files } = site;
    const plan = planLaunch(order, { paths, cookie, variables, bash, login: await site.login });
    await this.haveEnvironment(plan.environmentFile);
    if (plan.setupFile) await files.writeWhole(plan.setupFile.path, plan.setupFile.contents, 0o600);
    if (typeof order.stdin === 'object') return this.terminals.start(site, plan.launch, order.stdin);
    const text = startOrder(plan.launch);
    if (text.length <= longOrder) {
      this.send(text);
    } else {
      const path = `${paths.attempt(order.key)}.start`;
      await files.writeWhole(path, encodeBytes(text), 0o600);
      this.send(sourceOrder(path));
    }
  }

  /** Writes an environment unless that has been done. */
  private haveEnvironment({ path, contents }: PlannedFile): Promise<void> {
    let writing = this.environmentFiles.get(path);
    if (!writing) {
      writing = this.site.files.writeWhole(path, contents, 0o600);
      this.environmentFiles.set(path, writing);
      // After a failure the next start tries again.
      writing.catch(() => this.environmentFiles.delete(path));
    }
    return writing;
  }
}
