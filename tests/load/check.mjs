import { readLedger } from './ledger.mjs';
import { TASKS } from './workload.mjs';

const AT_ONCE = 8;
/** That of the server. */
const DEFAULT_LEASE_MS = 60_000;

/**
 * Looks for executions of `load` that lost or doubled something. `killed` are the processes that were killed.
 *
 * A step whose worker was killed before its end was recorded runs again, and so does one whose worker got so little of the
 * machine that its lease ran out; that is what a durable execution promises, and it is counted. What must not be: a run that
 * began after the one that counts was done, another run while the lease of the first lasted, a result that no run gave, two
 * ends in one history, two idempotency keys of one step.
 */
export async function check(fleet, ended, killed) {
  const { leaseMs = DEFAULT_LEASE_MS } = fleet.options;
  const ledger = readLedger(fleet.ledger);
  const faults = [];
  const counts = { executions: ended.size, steps: 0, afterKill: 0, afterLease: 0 };
  const keys = new Map();
  for (const [execution, result] of ended) {
    const steps = ledger.get(execution) ?? new Map();
    const names = [...Array.from({ length: TASKS }, (_, index) => `task ${index}`), 'operation'];
    for (const [index, name] of names.entries()) {
      const runs = steps.get(name) ?? [];
      counts.steps += 1;
      const others = runs.filter(({ id }) => id !== result?.[index]);
      const lost = others.filter(({ pid }) => !killed.has(pid));
      counts.afterKill += others.length - lost.length;
      counts.afterLease += lost.length;
      const fault = lost.some((run) => isEarly(run, runs, leaseMs))
        ? 'it ran twice at a time, and no worker of it was killed'
        : findFault(runs, result?.[index], keys, `${execution} ${name}`);
      if (fault) faults.push(`${execution}, ${name}: ${fault}`);
    }
  }
  faults.push(...(await historyFaults(fleet, [...ended.keys()])));
  return { counts, faults };
}

/** Whether another run began although this one's claim cannot have ended: it was given not long before the run began. */
function isEarly(run, runs, leaseMs) {
  return runs.some(
    ({ id, begunMs }) => id !== run.id && begunMs > run.begunMs && begunMs < run.begunMs + leaseMs / 2,
  );
}

function findFault(runs, counted, keys, step) {
  const run = runs.find(({ id }) => id === counted);
  if (run?.doneMs === undefined) return `the result ${counted} is of no run`;
  if (runs.some(({ begunMs }) => begunMs > run.doneMs)) return 'it ran again after the run that counts';
  if (new Set(runs.map(({ key }) => key)).size !== 1) return 'its runs have different idempotency keys';
  if (run.key !== 'none' && keys.has(run.key)) return `${keys.get(run.key)} has the same idempotency key`;
  keys.set(run.key, step);
  return undefined;
}

async function historyFaults(fleet, ids) {
  const faults = [];
  const lane = async () => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
      const types = (await fleet.events(id)).map(({ eventType }) => eventType);
      const count = (type) => types.filter((other) => other === type).length;
      const [tasks, ends] = [count('TASK_COMPLETED'), count('WORKFLOW_COMPLETED')];
      if (tasks !== TASKS || ends !== 1) faults.push(`${id}: ${tasks} tasks and ${ends} ends in its history`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return faults;
}
