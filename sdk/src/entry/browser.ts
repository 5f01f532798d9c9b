import { installFrom } from '../core.js';

export * from '../index.js';

let loading: Promise<void> | undefined;

/** Resolves once the core is loaded. Await it before anything else in a browser; elsewhere it is loaded at import. */
export function ready(): Promise<void> {
  loading ??= installFrom(new URL('../generated/core_bg.wasm', import.meta.url)).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}
