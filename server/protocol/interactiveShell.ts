/** Which commands are nothing but a shell to type into: `bash`, `/bin/zsh -l`. */

const shells = new Set(['ash', 'bash', 'csh', 'dash', 'fish', 'ksh', 'mksh', 'sh', 'tcsh', 'zsh']);
/** Options of one of these shells whose value is the next word. */
const withValue = /^([-+][oO]|--rcfile|--init-file|--init-command|--features)$/;
/** Options that say what to run: a letter `c` among short ones, or fish's long one. */
const withCommand = /^(-[A-Za-z]*c|--command)/;

/** Whether the command is a shell that is given nothing to run. */
export function isInteractiveShell([program = '', ...args]: readonly string[]): boolean {
  if (!shells.has(program.slice(program.lastIndexOf('/') + 1))) return false;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === '-' || arg === '--') return at === args.length - 1;
    if (!/^[-+]/.test(arg) || withCommand.test(arg)) return false;
    if (withValue.test(arg)) at += 1;
  }
  return true;
}
