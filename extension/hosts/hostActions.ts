/** Commands of hosts. Each works from the tree and from the palette. */
import * as vscode from 'vscode';
import { readSshNames, usualSshConfig } from '../../server/config/sshNames.ts';
import { registerCommand } from '../commands.ts';
import type { Parts } from '../connection/connection.ts';
import { type Address, parseAddress } from './addressing.ts';
import { verdict } from './hostLook.ts';
import { type HostNode, troubles } from './hostNodes.ts';
import type { HostsView } from './hostsView.ts';
import { connectHost } from './questions.ts';
import { workspaceOf } from './workspace.ts';

export function registerHostActions(context: vscode.ExtensionContext, parts: Parts, view: HostsView): void {
  const { l10n } = vscode;
  const { connection } = parts;
  /** Registers a command about one host. Nothing happens where none is meant. */
  const register = (
    name: string,
    title: string,
    isMeant: (host: string) => boolean,
    run: (host: string) => Promise<void>,
  ) =>
    registerCommand(context, parts, `vbatch.host.${name}`, async (node?: HostNode) => {
      const host = node?.kind === 'host' ? node.host.name : await pickHost(view, isMeant, title);
      if (host !== undefined) await run(host);
    });

  const connect = async (name: string): Promise<boolean> => {
    const client = await connection.client();
    return await withProgress(l10n.t('Connecting to {0}…', name), (signal) =>
      connectHost(client, name, workspaceOf(), signal),
    );
  };
  const check = async (name: string): Promise<void> => {
    const client = await connection.client();
    const report = await withProgress(l10n.t('Checking {0}…', name), (signal) =>
      client.checkHost(name, workspaceOf(), signal),
    );
    const checked = { ...report, at: Date.now() };
    view.setReport(checked);
    const { failures, warnings } = troubles(report);
    const worst = report.findings.find(({ status }) => status === (failures > 0 ? 'failure' : 'warning'));
    const text = [`${name}: ${verdict(checked, l10n)}`, worst?.text ?? ''].filter((part) => part !== '');
    const show = l10n.t('Show');
    const tell =
      failures > 0
        ? vscode.window.showErrorMessage
        : warnings > 0
          ? vscode.window.showWarningMessage
          : vscode.window.showInformationMessage;
    // The command has done its work; what was found is there for as long as somebody wants to look.
    void tell(text.join(': '), show).then((choice) => (choice === show ? view.showReport(name) : undefined));
  };

  registerCommand(context, parts, 'vbatch.host.add', async () => {
    const address = await pickAddress(view.names);
    if (address === undefined) return;
    const client = await connection.client();
    const { name, ssh } = address;
    await client.addHost({ name, host: ssh === null ? {} : { ssh } });
    // It is written down and stays so: what keeps it from being reached may be mended, or may pass.
    if (await connect(name)) await check(name);
  });
  register(
    'connect',
    l10n.t('Connect to which host?'),
    (name) => view.host(name)?.state !== 'online',
    async (name) => {
      await connect(name);
    },
  );
  register(
    'disconnect',
    l10n.t('Disconnect which host?'),
    (name) => view.host(name)?.state === 'online',
    async (name) => {
      const { running } = await (await connection.client()).disconnectHost(name);
      if (running === 0) return;
      void vscode.window.showInformationMessage(
        running === 1
          ? l10n.t('{0} is disconnected; 1 running task goes on there.', name)
          : l10n.t('{0} is disconnected; {1} running tasks go on there.', name, running),
      );
    },
  );
  register('check', l10n.t('Check which host?'), () => true, check);
  register(
    'remove',
    l10n.t('Remove which host?'),
    (name) => name !== 'local',
    async (name) => {
      const yes = l10n.t('Remove Host');
      const text = l10n.t('Remove {0} from your configuration?', name);
      const detail = l10n.t('Nothing on the host is touched, and what runs there goes on.');
      const choice = await vscode.window.showWarningMessage(text, { modal: true, detail }, yes);
      if (choice !== yes) return;
      await (await connection.client()).removeHost(name, true);
      view.askForUsage();
    },
  );
}

async function pickHost(
  view: HostsView,
  isMeant: (host: string) => boolean,
  title: string,
): Promise<string | undefined> {
  const names = view.names.filter(isMeant);
  if (names.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no host for this now.'));
    return undefined;
  }
  return await vscode.window.showQuickPick(names, { title });
}

/** Something that takes a while, with a way to give it up. That ends it without an error. */
async function withProgress<T>(title: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return await vscode.window.withProgress(options, async (_progress, token) => {
    const ending = new AbortController();
    token.onCancellationRequested(() => ending.abort());
    try {
      return await work(ending.signal);
    } catch (error) {
      if (ending.signal.aborted) throw new vscode.CancellationError();
      throw error;
    }
  });
}

/** A host of ~/.ssh/config that is not there yet, or one that is typed. */
function pickAddress(known: readonly string[]): Promise<Address | undefined> {
  const { l10n } = vscode;
  type Item = vscode.QuickPickItem & { address: Address };
  const file = usualSshConfig();
  const listed: Item[] = readSshNames(file)
    .names.filter((name) => !known.includes(name))
    .map((name) => ({ label: `$(server) ${name}`, description: file, address: { name, ssh: null } }));
  const picker = vscode.window.createQuickPick<Item>();
  picker.title = l10n.t('Add an SSH host');
  picker.placeholder = l10n.t('A name of your ssh configuration, or USER@HOST:PORT');
  picker.items = listed;
  return new Promise((resolve) => {
    picker.onDidChangeValue((typed) => {
      const address = parseAddress(typed);
      const isListed = listed.some((item) => item.address.name === address?.name && address.ssh === null);
      const label = `$(add) ${l10n.t('Add {0}', typed.trim())}`;
      const fresh = address === null || isListed ? [] : [{ label, alwaysShow: true, address }];
      picker.items = [...listed, ...fresh];
    });
    picker.onDidAccept(() => {
      const [chosen] = picker.selectedItems;
      // What is typed may be no address yet.
      if (chosen === undefined) return;
      resolve(chosen.address);
      picker.hide();
    });
    picker.onDidHide(() => {
      resolve(undefined);
      picker.dispose();
    });
    picker.show();
  });
}
