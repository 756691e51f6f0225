/** The runs of this window, kept up to date by the event stream and shared by the rooms that show runs. */
import * as vscode from 'vscode';
import type { Connection } from '../connection/connection.ts';
import { type RunChange, Runs } from './runs.ts';

export class RunRegistry implements vscode.Disposable {
  readonly runs = new Runs(Date.now());
  private readonly updates = new vscode.EventEmitter<readonly RunChange[]>();
  private readonly listening: vscode.Disposable;
  /** Something about the runs is new; with the ends and beginnings among it. */
  readonly onDidUpdate = this.updates.event;

  constructor(connection: Connection) {
    this.listening = connection.onDidReceive((event) => {
      const changes = this.runs.take(event);
      const concerns = event.type === 'tasks' && event.tasks.some(({ parent }) => parent === null);
      if (concerns || event.type === 'reset') this.updates.fire(changes);
    });
  }

  dispose(): void {
    this.listening.dispose();
    this.updates.dispose();
  }
}
