/** Of the editor's own: a server, which outlives the window, must not pass it on to tasks. */
const editors =
  /^(VSCODE_|ELECTRON_|CHROME_DESKTOP$|ORIGINAL_XDG_CURRENT_DESKTOP$|GDK_BACKEND$|APPLICATION_INSIGHTS_)/;

/** The environment for a server that the extension starts: the window's, without what the editor has put there. */
export function serverEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !editors.test(name)));
}
