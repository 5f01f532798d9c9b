import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const file = process.env.LEDGER;

/** Writes one line, which is on its way before this returns: a process that is killed has written it. */
export function write(...fields) {
  appendFileSync(file, `${[Date.now(), process.pid, ...fields].join('\t')}\n`);
}

/**
 * What the workers of a folder have written: the runs of each step of each execution.
 *
 * @returns {Map<string, Map<string, { id: string, pid: number, key: string, begunMs: number, doneMs?: number }[]>>}
 */
export function readLedger(folder) {
  const executions = new Map();
  const runs = new Map();
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
  for (const line of lines.filter(Boolean)) {
    const [ms, pid, what, execution, step, id, key] = line.split('\t');
    if (what === 'done') {
      runs.get(id).doneMs = Number(ms);
      continue;
    }
    const run = { id, pid: Number(pid), key, begunMs: Number(ms) };
    runs.set(id, run);
    const steps = executions.get(execution) ?? new Map();
    executions.set(execution, steps);
    steps.set(step, [...(steps.get(step) ?? []), run]);
  }
  return executions;
}
