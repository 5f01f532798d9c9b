/** Timers of JavaScript fire at once when asked for more than this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Where time comes from. Tests inject one that they advance by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Calls `callback` once, `delayMs` from now or as soon as possible; any length. Returns how to call it off. */
  schedule(delayMs: number, callback: () => void, options?: ScheduleOptions): () => void;
  /**
   * Only of clocks that can skip time: they do not until what this returns was called. Whatever works on its own, and
   * not by these clocks, holds them while it does.
   */
  hold?(): () => void;
}

/** How a scheduled call behaves towards the runtime. */
export interface ScheduleOptions {
  /** Whether a process with nothing else to do waits for this call. Default: true. */
  readonly keepAlive?: boolean | undefined;
  /**
   * Whether the call only keeps things as they are, such as a sign of life or the end of a poll: a clock that skips time
   * need not stop for it on the way. Default: false.
   */
  readonly upkeep?: boolean | undefined;
}

/** Does work that a clock which can skip time must not skip over. */
export async function holding<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  if (clock.hold === undefined) return work();
  const release = clock.hold();
  try {
    return await work();
  } finally {
    release();
  }
}

/** The time of the machine. */
export const systemClock: Clock = { nowMs: () => Date.now(), schedule };

function schedule(delayMs: number, callback: () => void, options: ScheduleOptions = {}): () => void {
  let timer: TimerId;
  let leftMs = Math.max(0, Math.ceil(delayMs));
  const arm = (): void => {
    const stepMs = Math.min(leftMs, LONGEST_TIMER_MS);
    leftMs -= stepMs;
    timer = setTimeout(leftMs > 0 ? arm : callback, stepMs);
    if (options.keepAlive === false && typeof timer === 'object') timer.unref?.();
  };
  arm();
  return () => clearTimeout(timer);
}
