import { expect, test } from 'vitest';
import { VirtualClock } from '../src/testing/virtual-clock.js';

/** What a clock does when it is moved by ten seconds at once. */
async function orderOf(plan: (clock: VirtualClock, note: (what: string) => () => void) => void) {
  const [clock, done] = [new VirtualClock(0), [] as string[]];
  plan(clock, (what) => () => void done.push(`${what} at ${clock.nowMs()}`));
  await clock.moveTo(10_000);
  return done;
}

test('calls are made in the order they are due, upkeep before all others', async () => {
  const done = await orderOf((clock, note) => {
    clock.schedule(9_000, note('late'));
    clock.schedule(1_000, note('early'));
    clock.schedule(10_000, note('renewal'), { upkeep: true });
    clock.schedule(10_001, note('never'));
  });
  expect(done).toEqual(['renewal at 10000', 'early at 10000', 'late at 10000']);
});

test('what upkeep brings about comes before the other calls, and may call them off', async () => {
  const done = await orderOf((clock, note) => {
    const callOff = clock.schedule(5_000, note('lease over'));
    const renew = async (): Promise<void> => {
      await Promise.resolve();
      callOff();
      note('renewed')();
    };
    clock.schedule(5_000, () => void renew(), { upkeep: true });
  });
  expect(done).toEqual(['renewed at 10000']);
});

test('upkeep does not say when something is due next', () => {
  const clock = new VirtualClock(0);
  clock.schedule(1_000, () => {}, { upkeep: true });
  expect(clock.nextMs).toBe(undefined);
  clock.schedule(3_000, () => {});
  expect(clock.nextMs).toBe(3_000);
});
