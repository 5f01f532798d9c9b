import { readLedger } from './ledger.mjs';
import { TASKS } from './workload.mjs';

const AT_ONCE = 8;

/**
 * Looks for executions of `load` that lost or doubled something. `killed` are the processes that were killed.
 *
 * A step whose worker was killed before its end was recorded runs again; that is what a durable execution promises, and it
 * is counted. What must not be: a run that began after the one that counts was done, another run without a kill, a result
 * that no run gave, two ends in one history, two idempotency keys of one step.
 */
export async function check(fleet, ended, killed) {
  const ledger = readLedger(fleet.ledger);
  const faults = [];
  const counts = { executions: ended.size, steps: 0, runs: 0, again: 0 };
  const keys = new Map();
  for (const [execution, result] of ended) {
    const steps = ledger.get(execution) ?? new Map();
    const names = [...Array.from({ length: TASKS }, (_, index) => `task ${index}`), 'operation'];
    for (const [index, name] of names.entries()) {
      const runs = steps.get(name) ?? [];
      counts.steps += 1;
      counts.runs += runs.length;
      counts.again += Math.max(0, runs.length - 1);
      const fault = findFault(runs, result?.[index], killed, keys, `${execution} ${name}`);
      if (fault) faults.push(`${execution}, ${name}: ${fault}`);
    }
  }
  faults.push(...(await historyFaults(fleet, [...ended.keys()])));
  return { counts, faults };
}

function findFault(runs, counted, killed, keys, step) {
  const run = runs.find(({ id }) => id === counted);
  if (run?.doneMs === undefined) return `the result ${counted} is of no run`;
  if (runs.some(({ begunMs }) => begunMs > run.doneMs)) return 'it ran again after the run that counts';
  const others = runs.filter((other) => other !== run);
  if (others.some(({ pid }) => !killed.has(pid))) return 'it ran twice, and no worker of it was killed';
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
