/** Put in by the bundler from package.json; sources that run unbundled have no version. */
declare const __VBATCH_VERSION__: string | undefined;

export const version = typeof __VBATCH_VERSION__ === 'undefined' ? '0.0.0-source' : __VBATCH_VERSION__;
