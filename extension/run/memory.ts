/** What was last chosen for each file: its pool and its arguments. Kept with the workspace. */
import type * as vscode from 'vscode';

interface Choice {
  readonly pool: string | null;
  readonly args: string;
}

const key = (path: string) => `run:${path}`;

export class Memory {
  constructor(private readonly state: vscode.Memento) {}

  of(path: string): Choice {
    return this.state.get<Choice>(key(path)) ?? { pool: null, args: '' };
  }

  async keep(path: string, choice: Partial<Choice>): Promise<void> {
    await this.state.update(key(path), { ...this.of(path), ...choice });
  }
}
