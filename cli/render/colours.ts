/** Which colours a stream gets. */
import pico from 'picocolors';

export type Colours = ReturnType<typeof pico.createColors>;
export type Style = (text: string) => string;

/**
 * Colours for one stream: none where NO_COLOR is set (https://no-color.org), all where FORCE_COLOR is
 * set and not 0, else only on a terminal that knows them.
 */
export function coloursFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Colours {
  return pico.createColors(wantsColour(stream, env));
}

function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}
