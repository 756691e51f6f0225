/** One window of a VS Code, used as a person would: by keys, clicks and what is to be seen. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { projectFolder } from './host.ts';

/** How long something may take to be seen on a busy machine. Milliseconds. */
const patience = 60_000;

export class Window {
  private shots = 0;

  private constructor(
    readonly page: Page,
    private readonly url: string,
    private readonly story: string,
  ) {}

  /** Opens it, and waits until the extension has shown itself. @param story names the pictures that are taken. */
  static async open(context: BrowserContext, url: string, story: string): Promise<Window> {
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    const window = new Window(page, url, story);
    await window.load();
    return window;
  }

  /** Loads it anew, as "Reload Window" does. */
  async load(): Promise<void> {
    await this.page.goto(this.url);
    await this.page.locator('.statusbar-item', { hasText: 'vbatch' }).first().waitFor();
  }

  /** The same by the command, which lets VS Code and extensions keep what has just changed; a browser's reload may cut that off. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.command('Developer: Reload Window');
    await loaded;
    await this.page.locator('.statusbar-item', { hasText: 'vbatch' }).first().waitFor();
  }

  /** Keeps a picture under .tmp/screenshots for a person to look at. */
  async shot(name: string): Promise<void> {
    const folder = join(projectFolder, '.tmp/screenshots');
    mkdirSync(folder, { recursive: true });
    this.shots += 1;
    const number = String(this.shots).padStart(2, '0');
    await this.page.screenshot({ path: join(folder, `${this.story}-${number}-${name}.png`) });
  }

  /** Runs a command through the palette, by its title. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.pick(`>${title}`, title);
  }

  /** Opens a file of the workspace by a part of its path. */
  async openFile(path: string): Promise<void> {
    await this.page.keyboard.press('Control+P');
    await this.pick(path, path.split('/').at(-1) ?? path);
    await this.page
      .locator('.tabs-container .tab.active', { hasText: path.split('/').at(-1) ?? path })
      .waitFor();
  }

  /** Fills the quick input that is open, and takes the row that shows `row`. */
  async pick(text: string, row: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget:visible input[type="text"]').first();
    await input.waitFor();
    await input.fill(text);
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: row }).first().click();
  }

  /** Answers an input box. */
  async answer(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget:visible input').first();
    await input.waitFor();
    await input.fill(text);
    await this.page.keyboard.press('Enter');
  }

  lens(title: string): Locator {
    return this.page.locator('.codelens-decoration a', { hasText: title }).first();
  }

  /** A line of a tree in the sidebar. */
  row(text: string): Locator {
    return this.page.locator('.pane-body .monaco-list-row', { hasText: text }).first();
  }

  /** The line of a tree with exactly this label. */
  node(label: string): Locator {
    const exact = this.page.locator('.label-name', { hasText: new RegExp(`^${label}$`) });
    return this.page.locator('.pane-body .monaco-list-row').filter({ has: exact });
  }

  /** Opens a line of a tree by the arrow before it. */
  async expand(label: string): Promise<void> {
    await this.node(label).locator('.monaco-tl-twistie').click();
  }

  /** A window that has just been loaded may still turn to the view that it had before. */
  async showView(): Promise<void> {
    const header = this.page.locator('.sidebar .pane-header', { hasText: 'Tasks' });
    const tab = this.page.locator('.part.activitybar .action-item', {
      has: this.page.locator('[aria-label^="vbatch"]'),
    });
    for (;;) {
      const isOpen = (await tab.getAttribute('class'))?.includes('checked') === true;
      if (!isOpen) await tab.click();
      await header.waitFor();
      // A row or a welcome is what shows that it has come to rest.
      const content = this.page.locator(
        '.sidebar .pane-body .monaco-list-row, .sidebar .welcome-view-content',
      );
      await content.first().waitFor();
      if (await header.isVisible()) return;
    }
  }

  /** Ctrl-clicks a link in the editor until the file that it leads to is open. */
  async followLink(text: string, file: string): Promise<void> {
    const link = this.page.locator('.editor-group-container.active .detected-link', { hasText: text });
    await this.follow(link.first(), file);
  }

  /** The same with a line of the terminal that begins with a link. */
  async followTerminalLink(text: string, file: string): Promise<void> {
    const line = this.page.locator('.terminal-wrapper.active .xterm-rows > div', {
      hasText: new RegExp(`^${text}`),
    });
    await this.follow(line.first(), file);
  }

  /** By the mouse alone, and again where lines have moved under it: links are drawn anew when the key goes down. */
  private async follow(link: Locator, file: string): Promise<void> {
    const tab = this.page.locator('.tabs-container .tab.active', { hasText: file });
    for (let tries = 1; ; tries++) {
      const { x = 0, y = 0, height = 0 } = (await link.boundingBox()) ?? {};
      await this.page.mouse.move(x + 12, y + height / 2, { steps: 3 });
      await this.page.keyboard.down('Control');
      await this.page.mouse.click(x + 14, y + height / 2);
      await this.page.keyboard.up('Control');
      try {
        return await tab.waitFor({ timeout: patience / 12 });
      } catch (error) {
        if (tries === 12) throw error;
      }
    }
  }

  notification(text: string): Locator {
    return this.page.locator('.notification-toast', { hasText: text }).first();
  }

  async openTerminal(): Promise<void> {
    await this.command('Terminal: Create New Terminal');
    // Nothing but a prompt: one that was there before shows more.
    await this.sees('terminal', /^[^\n]*[#$]\s*$/);
  }

  async type(line: string): Promise<void> {
    await this.page.locator('.terminal-wrapper.active textarea.xterm-helper-textarea').focus();
    await this.page.keyboard.type(line);
    await this.page.keyboard.press('Enter');
  }

  /** Waits until the text of the editor or of the terminal matches. */
  async sees(place: 'editor' | 'terminal', pattern: RegExp): Promise<string> {
    const selector =
      place === 'editor'
        ? '.editor-group-container.active .view-lines'
        : '.terminal-wrapper.active .xterm-rows';
    // An expression, for this project's types know no DOM.
    const text = `[...document.querySelectorAll(${JSON.stringify(`${selector} > div`)})]
      .map((line) => line.textContent.replaceAll('\\u00a0', ' ')).join('\\n')`;
    const found = await this.page.waitForFunction(`${String(pattern)}.exec(${text})?.[0]`);
    return String(await found.jsonValue());
  }
}
