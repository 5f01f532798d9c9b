import { check } from './check.mjs';
import { Fleet, Traffic } from './fleet.mjs';
import { load } from './workload.mjs';

const WORKERS = 4;
const PAUSE_MS = 500;

/**
 * Workers under load that are shut down in order by SIGTERM, one after the other, and replaced: each ends within its grace
 * period, leaves nothing, and no execution has to wait for the end of a lease, which is a minute here.
 */
export async function shutdown({ shutdowns, concurrent, graceMs }) {
  const fleet = new Fleet({ concurrent, graceMs });
  const faults = [];
  const tookMs = [];
  let givenBack = 0;
  try {
    await fleet.start();
    for (let index = 0; index < WORKERS; index += 1) await fleet.addWorker();
    const traffic = new Traffic(fleet.client, load, WORKERS * concurrent);
    for (let index = 0; index < shutdowns; index += 1) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const [worker] = fleet.workers;
      worker.child.kill('SIGTERM');
      const [code, signal] = await worker.exited;
      if (code !== 0) faults.push(`worker ${worker.pid} ended with ${signal ?? code}`);
      const { report, metrics } = worker.stopped;
      tookMs.push(report.durationMs);
      givenBack += metrics.workflows.polls.givenBack + metrics.tasks.polls.givenBack;
      const left = [report.aborted, report.left].flatMap((ids) => [
        ...ids.workflowExecutions,
        ...ids.taskExecutions,
      ]);
      if (left.length > 0) faults.push(`worker ${worker.pid} did not end by itself: ${left.join(', ')}`);
      await fleet.addWorker();
    }
    await traffic.stop();
    const checked = await check(fleet, traffic.ended, new Set());
    faults.push(...traffic.failed, ...checked.faults);
    if (checked.counts.afterLease > 0) faults.push(`${checked.counts.afterLease} steps ran again`);
    const longest = Math.max(...tookMs);
    if (longest > graceMs) faults.push(`a shutdown took ${longest} ms`);
    const lines = [
      `${shutdowns} shutdowns of one of ${WORKERS} workers with ${WORKERS * concurrent} executions under way: ` +
        `${checked.counts.executions} executions ended, ${checked.counts.afterKill + checked.counts.afterLease} steps ran again`,
      `a shutdown took at most ${Math.round(longest)} ms of ${graceMs} ms; ${givenBack} claims were given back; ` +
        `the longest execution took ${(traffic.longestMs / 1_000).toFixed(1)} s, with a lease of 60 s`,
    ];
    return { lines, faults };
  } finally {
    await fleet.close();
  }
}
