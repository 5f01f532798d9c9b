import * as core from '../../src/core.js';
import { DeterminismViolation, FlovynError } from '../../src/errors.js';
import { type EventJson, submitAnswer } from './protobuf.js';

/** A file of tests/histories; its README says what is in it. */
export interface Golden {
  readonly description: string;
  readonly execution: object;
  readonly events: readonly EventJson[];
  readonly turns: readonly (Turn | { readonly partial: Partial })[];
  readonly operations?: readonly Finished[];
  readonly commands?: readonly object[];
  readonly status?: string;
  readonly violation?: { readonly message: string };
  readonly error?: ExpectedError;
}

interface Turn {
  readonly job: object;
  readonly calls: readonly Call[];
}

interface Partial {
  readonly operations: readonly Finished[];
  readonly commands: readonly object[];
  readonly events: readonly EventJson[];
}

type Finished = { readonly handle: number } & ({ readonly result: unknown } | { readonly error: object });

interface ExpectedError {
  readonly code: string;
  readonly message?: string;
}

type Call = Readonly<Record<string, unknown>> & {
  readonly returns?: unknown;
  readonly absent?: true;
  readonly throws?: ExpectedError;
};

/** What the runner found to differ. */
export class Mismatch extends Error {}

/** Runs one history through the core; throws `Mismatch` if it does not give exactly what the file says. */
export function runGolden(golden: Golden): void {
  const opened: number[] = [];
  const progress = { entries: 0 };
  try {
    drive(golden, opened, progress);
    if (golden.violation ?? golden.error) throw new Mismatch('expected an error, got none');
  } catch (error) {
    if (error instanceof Mismatch || !(error instanceof FlovynError)) throw error;
    expect('turns before the error', golden.turns.length, progress.entries);
    checkError(golden, error);
    checkStopped(opened);
  } finally {
    for (const id of opened) core.activationClose(id);
  }
}

function drive(golden: Golden, opened: number[], progress: { entries: number }): void {
  const { execution, events } = golden;
  const id = core.activationOpenHistory(JSON.stringify({ execution, events }));
  opened.push(id);
  for (const entry of golden.turns) {
    if ('partial' in entry) {
      submit(id, core.Step.SubmitPartial, 'RUNNING', entry.partial);
      progress.entries += 1;
      core.handleSubmitAnswer(id, submitAnswer(entry.partial.events));
    } else {
      expect('job', JSON.stringify(entry.job), jobJson(core.pollJob(id)));
      for (const call of entry.calls) make(id, call);
      progress.entries += 1;
    }
  }
  const { operations = [], commands = [], status = 'none' } = golden;
  submit(id, core.Step.SubmitFinal, status, { operations, commands });
  expect('job after the end', undefined, afterTheEnd(id));
}

/** The last submission closes the activation: the core refuses to go on. */
function afterTheEnd(id: number): unknown {
  try {
    return core.pollJob(id);
  } catch {
    return undefined;
  }
}

function submit(
  id: number,
  step: core.Step,
  status: string,
  expected: Pick<Partial, 'operations' | 'commands'>,
): void {
  expect('job', 'none', jobJson(core.pollJob(id)));
  while (core.pollOperation(id) !== 0);
  for (const finished of expected.operations) {
    if ('error' in finished) core.operationFailed(id, finished.handle, JSON.stringify(finished.error));
    else core.operationCompleted(id, finished.handle, JSON.stringify(finished.result));
  }
  expect('step', step, core.nextStep(id));
  core.takeSubmission(id);
  expect('submission', JSON.stringify({ commands: expected.commands, status }), core.describeSubmission(id));
}

function make(id: number, call: Call): void {
  const verb = Object.keys(call).find((name) => !['returns', 'throws', 'absent'].includes(name)) ?? '';
  let returned: string | undefined;
  try {
    returned = invoke(id, verb, call[verb]);
  } catch (error) {
    if (call.throws === undefined || !(error instanceof FlovynError)) throw error;
    return checkExpected(verb, call.throws, error);
  }
  if (call.throws !== undefined) throw new Mismatch(`${verb}: expected ${call.throws.code}, got ${returned}`);
  if ('returns' in call) expect(verb, JSON.stringify(call.returns), returned);
  if (call.absent === true) expect(verb, undefined, returned);
}

/** Makes a call; what it gave as compact JSON. */
function invoke(id: number, verb: string, argument: unknown): string | undefined {
  switch (verb) {
    case 'scheduleTask': {
      const { kind, input, ...options } = argument as { kind: string; input: unknown };
      return JSON.stringify(core.scheduleTask(id, 0, kind, JSON.stringify(input), options));
    }
    case 'startTimer':
      return String(core.startTimer(id, 0, argument as number));
    case 'createPromise': {
      const { name, timeoutMs, idempotencyKey } = argument as Record<string, never>;
      return String(core.createPromise(id, 0, name ?? '', timeoutMs, idempotencyKey));
    }
    case 'beginOperation':
      return String(core.beginOperation(id, 0, argument as string));
    case 'setState': {
      const [key, value] = argument as [string, unknown];
      core.setState(id, key, JSON.stringify(value));
      return undefined;
    }
    case 'clearState':
      core.clearState(id, argument as string);
      return undefined;
    case 'clearAllState':
      core.clearAllState(id);
      return undefined;
    case 'getState':
      return core.getState(id, argument as string);
    case 'stateKeys':
    case 'currentTimeMs':
    case 'random':
    case 'randomUuid':
    case 'isReplaying':
      return JSON.stringify(core[verb](id));
    case 'complete':
      core.complete(id, JSON.stringify(argument));
      return undefined;
    case 'fail': {
      const { error, stackTrace, failureType } = argument as Record<
        'error' | 'stackTrace' | 'failureType',
        string
      >;
      core.fail(id, error, stackTrace, failureType);
      return undefined;
    }
    default:
      throw new Mismatch(`unknown verb ${verb}`);
  }
}

function jobJson(job: core.Job | undefined): string {
  if (job === undefined) return 'none';
  const [kind, handle, json] = job;
  if (kind === 0) return `{"start":${json}}`;
  return `{"${kind === 1 ? 'resolve' : 'reject'}":[${handle},${json}]}`;
}

function checkError(golden: Golden, error: FlovynError): void {
  if (golden.violation === undefined) {
    if (golden.error === undefined) throw error;
    return checkExpected('error', golden.error, error);
  }
  if (!(error instanceof DeterminismViolation)) throw error;
  const { message, ...details } = golden.violation;
  const { hint, handle: _, ...got } = error.details as { hint: string; handle?: number };
  expect('violation', JSON.stringify(details), JSON.stringify(got));
  if (hint === '') throw new Mismatch('expected a hint');
  if (!error.message.startsWith(message)) expect('message', message, error.message);
}

function checkExpected(what: string, expected: ExpectedError, got: FlovynError): void {
  expect(what, expected.code, got.code);
  if (expected.message !== undefined) expect(what, expected.message, got.message);
}

/** After a fatal error no job, no operation and no submission come out. */
function checkStopped([id]: number[]): void {
  if (id === undefined) return;
  expect('operation', 0, core.pollOperation(id));
  for (const output of [core.pollJob, core.takeSubmission] as const) {
    try {
      output(id);
    } catch {
      continue;
    }
    throw new Mismatch('expected nothing more after a fatal error');
  }
}

function expect(what: string, expected: unknown, got: unknown): void {
  if (expected !== got) throw new Mismatch(`${what}:\nexpected ${String(expected)}\n     got ${String(got)}`);
}
