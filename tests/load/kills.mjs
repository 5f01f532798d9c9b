import { check } from './check.mjs';
import { Fleet, Traffic } from './fleet.mjs';
import { load } from './workload.mjs';

const STARTED_AT_ONCE = 4;

/** Workers under load of which one is killed each `killEveryMs` and replaced: everything ends, and nothing is doubled. */
export async function kills({ workers, concurrent, seconds, killEveryMs, leaseMs }) {
  const fleet = new Fleet({ leaseMs, concurrent });
  const killed = new Set();
  const replaced = [];
  try {
    await fleet.start();
    const add = async () => {
      while (fleet.workers.length < workers) await fleet.addWorker();
    };
    await Promise.all(Array.from({ length: STARTED_AT_ONCE }, add));
    const traffic = new Traffic(fleet.client, load, workers * concurrent);
    const startedMs = performance.now();
    while (performance.now() - startedMs < seconds * 1_000) {
      await new Promise((resolve) => setTimeout(resolve, killEveryMs));
      const victims = fleet.workers.filter(({ isReady }) => isReady);
      const victim = victims[Math.floor(Math.random() * victims.length)];
      // On a busy machine those that were killed may not be replaced yet.
      if (victim === undefined) continue;
      killed.add(victim.pid);
      victim.child.kill('SIGKILL');
      await victim.exited;
      // A process takes a while to start on a busy machine, during which others are killed.
      const added = fleet.addWorker();
      // It is looked at below.
      added.catch(() => {});
      replaced.push(added);
    }
    await Promise.all(replaced);
    const loadedMs = performance.now() - startedMs;
    const before = traffic.ended.size;
    await traffic.stop();
    const drainedMs = performance.now() - startedMs - loadedMs;
    const { counts, faults } = await check(fleet, traffic.ended, killed);
    const perSecond = (before / loadedMs) * 1_000;
    if (killed.size === 0) faults.push('no worker was killed');
    const lines = [
      `${workers} workers x ${concurrent} executions, ${Math.round(loadedMs / 1_000)} s, ${killed.size} kills: ` +
        `${counts.executions} executions ended, ${traffic.failed.length} failed; ${perSecond.toFixed(0)} per second`,
      `${counts.steps} steps, of which ${counts.afterKill} ran again because their worker was killed before their end was ` +
        `recorded, ${counts.afterLease} because their lease of ${leaseMs / 1_000} s ran out`,
      `the last ${workers * concurrent} ended within ${(drainedMs / 1_000).toFixed(1)} s; the longest execution took ${(traffic.longestMs / 1_000).toFixed(1)} s`,
    ];
    return { lines, faults: [...traffic.failed, ...faults] };
  } finally {
    await fleet.close();
  }
}
