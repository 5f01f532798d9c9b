import { harmless } from '../harmless-logger.js';
import type { Logger } from '../logger.js';
import { originOf } from '../workflow/own-errors.js';

/*
 * An un-awaited branch of a workflow that fails with an error of ours must not end the process: the branch
 * may be awaited in the next activation. All other rejections that nobody handles keep the default of the
 * runtime.
 */

const loggers = new Set<Logger>();
let stopListening: (() => void) | undefined;

/**
 * Keeps rejections with errors of ours from ending the process; they are logged instead. Returns how to stop
 * that.
 */
export function watchUnhandledRejections(logger: Logger): () => void {
  // A logger of its own, so that two clients with one logger are two entries.
  const entry = harmless(logger);
  loggers.add(entry);
  stopListening ??= listen();
  return () => {
    loggers.delete(entry);
    if (loggers.size > 0) return;
    stopListening?.();
    stopListening = undefined;
  };
}

/** Whether the rejection is one of ours; it is logged then. */
function isOwn(reason: unknown): boolean {
  const origin = originOf(reason);
  if (origin === undefined) return false;
  const [logger] = loggers;
  logger?.warn(`nobody handled the rejection of ${origin}: ${String(reason)}`, reason);
  return true;
}

function listen(): () => void {
  // Where there are web events a listener decides for one rejection; in Node and Bun a listener replaces the
  // default for all of them. Deno and workerd have a `process` too, but their defaults follow the events.
  if (typeof addEventListener === 'function' && typeof Bun === 'undefined') return listenToEvents();
  if (typeof process === 'object' && typeof process.on === 'function') return listenToProcess(process);
  return () => {};
}

function listenToEvents(): () => void {
  const onRejection = (event: { readonly reason?: unknown; preventDefault?(): void }): void => {
    if (isOwn(event.reason)) event.preventDefault?.();
  };
  addEventListener?.('unhandledrejection', onRejection);
  return () => removeEventListener?.('unhandledrejection', onRejection);
}

function listenToProcess(host: ProcessLike): () => void {
  const onRejection = (reason: unknown): void => {
    if (isOwn(reason) || host.listenerCount('unhandledRejection') > 1) return;
    // Nobody else listens: what the runtime does without any listener is to raise the reason as an exception.
    throw reason instanceof Error
      ? reason
      : new Error(`Unhandled rejection: ${String(reason)}`, { cause: reason });
  };
  host.on('unhandledRejection', onRejection);
  return () => host.off('unhandledRejection', onRejection);
}

interface ProcessLike {
  on(event: 'unhandledRejection', listener: (reason: unknown) => void): unknown;
  off(event: 'unhandledRejection', listener: (reason: unknown) => void): unknown;
  listenerCount(event: 'unhandledRejection'): number;
}

declare const Bun: unknown;
declare const process: ProcessLike | undefined;
declare const addEventListener: EventMethod | undefined;
declare const removeEventListener: EventMethod | undefined;
type EventMethod = (
  type: 'unhandledrejection',
  listener: (event: { readonly reason?: unknown; preventDefault?(): void }) => void,
) => void;
