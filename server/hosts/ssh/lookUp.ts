import { lookup } from 'node:dns/promises';
import { resolveSettings } from '../../ssh/settings.ts';

/** Whether a name leads anywhere: by ssh's configuration, in `configFile` or the usual one, or by the network. */
export async function leadsToHost(
  name: string,
  configFile: string | null,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const options = { env, ...(configFile !== null && { configFile }) };
  const { hostName, jumps, proxyCommand } = await resolveSettings(name, options);
  // Whoever is on the way may know names that are not known here.
  if (hostName !== name || jumps.length > 0 || proxyCommand !== null) return true;
  return lookup(name).then(
    () => true,
    () => false,
  );
}
