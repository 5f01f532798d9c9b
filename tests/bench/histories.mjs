import { createHash } from 'node:crypto';

const EXECUTION_ID = '5ad5b2f6-6b0f-4b2a-9c5e-0c1f2a3b4c5d';

/** The history, as JSON text, of an execution that has run `count` tasks one after the other. */
export function sequentialTasks(count) {
  const events = [];
  const add = (eventType, data) => events.push({ sequence: events.length + 1, eventType, data });
  add('WORKFLOW_STARTED', { input: count, kind: 'replayed' });
  for (let index = 0; index < count; index += 1) {
    const taskExecutionId = idOf(index);
    add('TASK_SCHEDULED', { kind: 'step', taskExecutionId, input: index, queue: 'default', maxRetries: 3 });
    add('TASK_COMPLETED', { taskExecutionId, kind: 'step', output: index });
  }
  const execution = {
    executionId: EXECUTION_ID,
    kind: 'replayed',
    taskTimeMs: 1_700_000_000_000,
    extended: true,
  };
  return JSON.stringify({ execution, events });
}

function idOf(counter) {
  const hex = createHash('sha1').update(`${EXECUTION_ID}:${counter}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
