/** Links from places that programs have named to the files here. */
import * as vscode from 'vscode';
import { type Place, referencesIn } from '../../logtext/references.ts';
import { logScheme } from './address.ts';
import type { LogDocument } from './document.ts';
import type { LogDocuments } from './documents.ts';

/** Most links of one document. */
const most = 5_000;
/** Lines that are looked at without a break. */
const batch = 500;

export function registerLinks(documents: LogDocuments): vscode.Disposable {
  return vscode.languages.registerDocumentLinkProvider(
    { scheme: logScheme },
    {
      provideDocumentLinks: async (document, token) => {
        let looked = 0;
        const log = documents.get(document.uri);
        if (log === undefined) return [];
        const links: vscode.DocumentLink[] = [];
        for (let at = document.lineCount - 1; at >= 0 && links.length < most; at--) {
          looked += 1;
          if (looked % batch === 0) await new Promise(setImmediate);
          if (token.isCancellationRequested) return [];
          for (const reference of referencesIn(document.lineAt(at).text)) {
            const target = await targetOf(log, reference);
            if (target === null) continue;
            const link = new vscode.DocumentLink(
              new vscode.Range(at, reference.start, at, reference.end),
              target,
            );
            link.tooltip = vscode.l10n.t('Open the file');
            links.push(link);
          }
        }
        return links;
      },
    },
  );
}

async function targetOf(log: LogDocument, { path, line, column }: Place): Promise<vscode.Uri | null> {
  const file = await log.find(path);
  if (file === null) return null;
  return vscode.Uri.file(file).with({ fragment: `L${line}${column === null ? '' : `,${column}`}` });
}
