/** The terminal of a task of tasks.json: submits, shows the output, and ends with the exit code. */
import * as vscode from 'vscode';
import { endSentence, exitCodeOf } from '../../server/protocol/exitCode.ts';
import { showFailure } from '../commands.ts';
import type { Parts } from '../connection/connection.ts';
import { submitWords } from '../run/submit.ts';

/** VS Code says of what ends sooner that it could not be launched. Milliseconds. */
const launchMs = 600;
/** Where nothing could be run. */
const refusedCode = 1;

export class TaskTerminal implements vscode.Pseudoterminal {
  private readonly writes = new vscode.EventEmitter<string>();
  private readonly closes = new vscode.EventEmitter<number>();
  readonly onDidWrite = this.writes.event;
  readonly onDidClose = this.closes.event;
  private readonly leaving = new AbortController();
  private id: string | null = null;
  /** Its run is to be cancelled, now or as soon as there is one. */
  private isUnwanted = false;
  private over = false;
  private begun = 0;

  constructor(
    private readonly parts: Parts,
    private readonly words: readonly string[],
    private readonly folder: string,
  ) {}

  open(): void {
    this.begun = Date.now();
    void this.run();
  }

  /** The task was terminated, so its run is cancelled. */
  close(): void {
    if (this.over) return;
    this.leaving.abort();
    this.giveUp();
  }

  /** Ctrl-C, as in a terminal. */
  handleInput(data: string): void {
    if (data === '\u0003') this.giveUp();
  }

  private async run(): Promise<void> {
    try {
      this.id = await submitWords(this.parts.connection, this.words, this.folder);
      // Terminated before there was anything to cancel.
      if (this.isUnwanted) await this.cancel();
      this.writes.fire(`\u001b[2m${this.id}\u001b[0m\r\n`);
      const client = await this.parts.connection.client();
      const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
      for await (const { stream, data } of client.followLog(this.id, this.leaving.signal)) {
        const text = decoders[stream].decode(data, { stream: true });
        this.writes.fire(text.replace(/\r?\n/g, '\r\n'));
      }
      const task = await client.whenDone(this.id, this.leaving.signal);
      const sentence = endSentence(task);
      if (sentence !== null) this.writes.fire(`\r\n\u001b[31m${sentence}\u001b[0m\r\n`);
      this.end(exitCodeOf(task));
    } catch (error) {
      if (this.leaving.signal.aborted) return;
      this.writes.fire(`\r\n\u001b[31mvbatch: ${(error as Error).message}\u001b[0m\r\n`);
      this.end(refusedCode);
    }
  }

  private giveUp(): void {
    this.isUnwanted = true;
    this.cancel().catch((error: unknown) => showFailure(this.parts, error));
  }

  private async cancel(): Promise<void> {
    if (this.id === null || this.over) return;
    const client = await this.parts.connection.client();
    await client.cancel(this.id);
  }

  private end(code: number): void {
    this.over = true;
    setTimeout(() => this.closes.fire(code), Math.max(0, this.begun + launchMs - Date.now()));
  }
}
