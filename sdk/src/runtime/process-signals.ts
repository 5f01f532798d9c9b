import { Unsupported } from '../errors.js';
import { isBrowser } from './run-dry.js';

/** The signals that ask a process to end. */
export type ShutdownSignal = 'SIGINT' | 'SIGTERM';

const SIGNALS: readonly ShutdownSignal[] = ['SIGINT', 'SIGTERM'];

/** Throws `Unsupported` where a program cannot listen to signals. */
export function checkShutdownSignals(): void {
  listening();
}

/**
 * Calls `listener` at the first signal that asks the process to end, instead of what the runtime does. The second one is
 * the runtime's again, which ends the process at once. Returns how to stop listening.
 */
export function onShutdownSignal(listener: (signal: ShutdownSignal) => void): () => void {
  const host = listening();
  const entries = SIGNALS.map((signal) => [signal, () => first(signal)] as const);
  const stop = (): void => {
    for (const [signal, entry] of entries.splice(0)) host.off(signal, entry);
  };
  const first = (signal: ShutdownSignal): void => {
    stop();
    listener(signal);
  };
  for (const [signal, entry] of entries) host.on(signal, entry);
  return stop;
}

interface Listening {
  on(signal: ShutdownSignal, listener: () => void): void;
  off(signal: ShutdownSignal, listener: () => void): void;
}

function listening(): Listening {
  if (typeof Deno === 'object' && typeof Deno.addSignalListener === 'function') {
    const host = Deno;
    return {
      on: (signal, entry) => host.addSignalListener(signal, entry),
      off: (signal, entry) => host.removeSignalListener(signal, entry),
    };
  }
  // workerd and browsers may have a `process` too, to which nobody sends signals.
  const isHosted = isBrowser() || globalThis.navigator?.userAgent === 'Cloudflare-Workers';
  if (!isHosted && typeof process === 'object' && typeof process.on === 'function') {
    const host = process;
    return {
      on: (signal, entry) => void host.on(signal, entry),
      off: (signal, entry) => void host.off(signal, entry),
    };
  }
  throw new Unsupported(
    'handleSignals is not supported here: this runtime has no process that gets SIGINT or SIGTERM. ' +
      'Call shutdown() or stop() instead',
  );
}

interface ProcessLike {
  on(signal: ShutdownSignal, listener: () => void): unknown;
  off(signal: ShutdownSignal, listener: () => void): unknown;
}

interface DenoLike {
  addSignalListener(signal: ShutdownSignal, listener: () => void): void;
  removeSignalListener(signal: ShutdownSignal, listener: () => void): void;
}

declare const process: ProcessLike | undefined;
declare const Deno: DenoLike | undefined;
