/** The extension as its tests see it. */
import * as vscode from 'vscode';
import type { Api } from '../../../extension/extension.ts';

export async function extension(): Promise<Api> {
  const found = vscode.extensions.getExtension<Api>('vbatch.vbatch');
  if (found === undefined) throw new Error('the extension is not there');
  return found.activate();
}
