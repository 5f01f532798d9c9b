/**
 * Resolves once the microtask queue is empty, by going through one real task of the event loop.
 *
 * A turn of workflow code ends when the code can do nothing more by itself. Counting `await`s cannot tell that, and a
 * delay only guesses; but an event loop starts no new task before the microtask queue is empty, however long the chain.
 *
 * Which task source: `setImmediate` (4 us in Node and Deno) where it exists; `setTimeout(0)` in workerd, where a
 * MessageChannel delivers before the queue is empty; MessageChannel only in browsers, where nested `setTimeout(0)` is
 * held back to 4 ms.
 */
export const runDry: () => Promise<void> = chooseRunDry();

// The functions are taken when the module loads, so that fake timers installed later cannot stop workflow code.
function chooseRunDry(): () => Promise<void> {
  if (typeof setImmediate === 'function') return throughImmediate(setImmediate);
  if (isBrowser() && typeof MessageChannel === 'function') return throughMessageChannel(new MessageChannel());
  return throughTimeout(setTimeout);
}

/** Whether this is a browser: a page or a worker of one. */
export function isBrowser(): boolean {
  if (globalThis.navigator?.userAgent === 'Cloudflare-Workers') return false;
  return typeof document === 'object' || typeof importScripts === 'function';
}

function throughImmediate(schedule: NonNullable<typeof setImmediate>): () => Promise<void> {
  return () => new Promise((resolve) => void schedule(resolve));
}

function throughTimeout(schedule: typeof setTimeout): () => Promise<void> {
  return () => new Promise((resolve) => void schedule(resolve, 0));
}

function throughMessageChannel(channel: MessageChannel): () => Promise<void> {
  const waiting: (() => void)[] = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      channel.port2.postMessage(undefined);
    });
}
