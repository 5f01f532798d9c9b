/** Reads what workers and servers say to each other, past the code under test: by the field numbers of flovyn.proto. */
const text = new TextDecoder();

/** The paths of the calls that tests look at or make themselves. */
export const PATHS = {
  pollWorkflow: '/flovyn.v1.WorkflowDispatch/PollWorkflow',
  submit: '/flovyn.v1.WorkflowDispatch/SubmitWorkflowCommands',
  getEvents: '/flovyn.v1.WorkflowDispatch/GetEvents',
  signal: '/flovyn.v1.WorkflowDispatch/SignalWorkflow',
  cancel: '/flovyn.ext.v1.Extensions/CancelWorkflow',
};

const STATUS = ['UNSPECIFIED', 'RUNNING', 'SUSPENDED', 'COMPLETED', 'CANCELLED', 'FAILED'];

/** Commands by the number of their field: name, and the fields of theirs that two runs must agree on. */
const COMMANDS = {
  10: ['RECORD_OPERATION', { 1: 'name', 2: 'result' }],
  11: ['SET_STATE', { 1: 'key', 2: 'value' }],
  12: ['CLEAR_STATE', { 1: 'key' }],
  13: ['SCHEDULE_TASK', { 1: 'kind', 2: 'input', 3: 'taskExecutionId', 4: 'maxRetries', 6: 'queue' }],
  14: ['COMPLETE_WORKFLOW', { 1: 'output' }],
  15: ['FAIL_WORKFLOW', { 1: 'error', 3: 'failureType' }],
  16: ['SUSPEND_WORKFLOW', {}],
  17: ['CANCEL_WORKFLOW', { 1: 'reason' }],
  18: ['CREATE_PROMISE', { 1: 'promiseId', 2: 'timeoutMs', 3: 'idempotencyKey' }],
  19: ['RESOLVE_PROMISE', { 1: 'promiseId', 2: 'value' }],
  20: [
    'SCHEDULE_CHILD_WORKFLOW',
    { 1: 'childExecutionName', 2: 'kind', 4: 'childExecutionId', 5: 'input', 6: 'queue' },
  ],
  21: ['START_TIMER', { 1: 'timerId', 2: 'durationMs' }],
  22: ['CANCEL_TIMER', { 1: 'timerId' }],
  23: ['REQUEST_CANCEL_CHILD_WORKFLOW', { 1: 'childExecutionName', 2: 'childExecutionId', 3: 'reason' }],
  1000: ['CANCEL_TASK', { 1: 'taskExecutionId', 2: 'reason' }],
};

/** A SubmitWorkflowCommandsRequest. Numbers of commands and stack traces are left out: nobody relies on them. */
export function readSubmission(bytes) {
  const message = fields(bytes);
  return {
    executionId: string(message.get(1)),
    commands: (message.get(2) ?? []).map(readCommand),
    status: STATUS[message.get(3)?.[0] ?? 0],
    number: message.get(1000)?.[0] ?? 0,
    heldSequence: message.get(1001)?.[0] ?? 0,
  };
}

/** What a PollResponse gives to do; undefined for nothing. */
export function readClaim(bytes) {
  const message = fields(bytes);
  const execution = message.get(1)?.[0];
  if (execution === undefined) return undefined;
  const found = fields(execution);
  return {
    executionId: string(found.get(1)),
    kind: string(found.get(2)),
    taskTimeMs: found.get(14)?.[0] ?? 0,
    token: string(message.get(1000)),
    afterSequence: message.get(1004)?.[0] ?? 0,
    events: message.get(1002)?.length ?? 0,
  };
}

/** The query that a PollResponse gives to answer; undefined for none. */
export function readQuery(bytes) {
  const query = fields(bytes).get(1005)?.[0];
  return query && { executionId: string(fields(query).get(2)) };
}

/** The PollResponse that a SubmitWorkflowCommandsResponse brings along, if it does. */
export function readNext(bytes) {
  return fields(bytes).get(1003)?.[0];
}

/** A SubmitWorkflowCommandsRequest that does not ask for the next piece of work. */
export function withoutPoll(bytes) {
  return without(bytes, 1002);
}

/** A GetEventsRequest. */
export function writeGetEvents(executionId, afterSequence) {
  return message({ 1: executionId, 1000: afterSequence });
}

/** The execution that a GetEventsRequest asks for. */
export function readGetEvents(bytes) {
  return string(fields(bytes).get(1));
}

/** A message of texts and whole numbers, by the numbers of its fields. */
export function message(values) {
  return new Uint8Array(
    Object.entries(values).flatMap(([field, value]) => {
      if (typeof value === 'number') return [...varint(field * 8), ...varint(value)];
      const bytes = new TextEncoder().encode(value);
      return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes];
    }),
  );
}

/** A GetEventsResponse. */
export function readEvents(bytes) {
  const message = fields(bytes);
  const events = (message.get(1) ?? []).map((event) => {
    const found = fields(event);
    const data = JSON.parse(string(found.get(3)));
    return { sequence: found.get(1)[0], type: string(found.get(2)), data };
  });
  return { events, hasMore: message.get(1000)?.[0] === 1 };
}

function readCommand(bytes) {
  for (const [field, [value]] of fields(bytes)) {
    const known = COMMANDS[field];
    if (known === undefined) continue;
    const [type, names] = known;
    const data = fields(value);
    const command = { type };
    for (const [number, name] of Object.entries(names)) {
      const found = data.get(Number(number))?.[0];
      if (found !== undefined) command[name] = typeof found === 'number' ? found : text.decode(found);
    }
    return command;
  }
  return { type: 'UNSPECIFIED' };
}

function string(values) {
  return values === undefined ? '' : text.decode(values[0]);
}

/** The values of each field of a message: numbers, or bytes. */
function fields(bytes) {
  const found = new Map();
  for (const { field, value } of parts(bytes)) {
    const values = found.get(field);
    if (values === undefined) found.set(field, [value]);
    else values.push(value);
  }
  return found;
}

function without(bytes, field) {
  const kept = [...parts(bytes)].filter((part) => part.field !== field);
  return new Uint8Array(kept.flatMap(({ start, end }) => [...bytes.subarray(start, end)]));
}

function* parts(bytes) {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at];
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const start = at;
    const tag = number();
    const [field, type] = [Math.floor(tag / 8), tag & 7];
    if (type !== 0 && type !== 2) throw new Error(`field ${field} has wire type ${type}`);
    let value = number();
    if (type === 2) {
      at += value;
      value = bytes.subarray(at - value, at);
    }
    yield { field, value, start, end: at };
  }
}

function varint(value) {
  const bytes = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    bytes.push((left % 128) + (left >= 128 ? 0x80 : 0));
    if (left < 128) return bytes;
  }
}
