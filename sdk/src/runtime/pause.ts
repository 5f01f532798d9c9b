import type { Clock } from './clock.js';

/** Resolves after `delayMs`, or early when `signal` fires. */
export async function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      stop();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const stop = clock.schedule(delayMs, wake);
    signal?.addEventListener('abort', wake, { once: true });
  });
}
