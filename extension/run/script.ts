/** How a script of the editor is run: with which command, from which folder. Pure. */
import { basename, extname } from 'node:path';

export interface Script {
  readonly path: string;
  /** The editor's language id. */
  readonly language: string;
  /** The first line. */
  readonly head: string;
  readonly isExecutable: boolean;
}

/** Whether it is for a shell or for Python, or says itself what runs it. */
export function isScript({ path, language, head }: Omit<Script, 'isExecutable'>): boolean {
  const isKnown = ['shellscript', 'python'].includes(language) || ['.sh', '.py'].includes(extname(path));
  return isKnown || head.startsWith('#!');
}

/** Words before the script's own path where it does not start by itself. */
export function interpreterOf(script: Omit<Script, 'isExecutable'>, python: string): string[] {
  const shebang = /^#!\s*(.*\S)/.exec(script.head)?.[1];
  if (shebang !== undefined) {
    const words = shebang.split(/\s+/);
    const isEnv = basename(words[0] ?? '') === 'env';
    return isEnv ? words.slice(words[1] === '-S' ? 2 : 1) : words;
  }
  const isPython = script.language === 'python' || extname(script.path) === '.py';
  return [isPython ? python : 'bash'];
}

/** The command as it would be typed in the script's own folder. */
export function commandOf(script: Script, args: readonly string[], python: string): string[] {
  const name = basename(script.path);
  const startsItself = script.isExecutable && script.head.startsWith('#!');
  return startsItself ? [`./${name}`, ...args] : [...interpreterOf(script, python), name, ...args];
}
