import type { AbortSignal } from './platform-types.js';

/** A signal that fires when one of these does, with its reason. `unlink` lets go of them. */
export function linkedSignal(...signals: (AbortSignal | undefined)[]): {
  signal: AbortSignal;
  unlink: () => void;
} {
  const controller = new AbortController();
  const unlinks = signals.map((signal) => signal && link(signal, controller));
  return { signal: controller.signal, unlink: () => unlinks.forEach((unlink) => unlink?.()) };
}

function link(signal: AbortSignal, controller: AbortController): () => void {
  const onAbort = (): void => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}
