// Taken when the module loads, so that fake timers which a test installs later do not stop what runs it.
const later = setTimeout;
const never = clearTimeout;

/** Calls `callback` after so many milliseconds of the machine. Returns how to call it off. */
export function afterRealMs(ms: number, callback: () => void): () => void {
  const timer = later(callback, Math.min(Math.max(0, ms), 2 ** 31 - 1));
  return () => never(timer);
}

/** Resolves after so many milliseconds of the machine. */
export function realPause(ms: number): Promise<void> {
  return new Promise((resolve) => void later(resolve, ms));
}

/** What the work gives, or the error that `tooLate` makes once so many milliseconds of the machine are over. */
export async function withinRealMs<T>(ms: number, work: PromiseLike<T>, tooLate: () => unknown): Promise<T> {
  let stop = (): void => {};
  const over = new Promise<never>((_, reject) => {
    stop = afterRealMs(ms, () => void Promise.resolve(tooLate()).then(reject, reject));
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    stop();
  }
}
