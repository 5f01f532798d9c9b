import * as core from '../../src/core.js';
import { DeterminismViolation, FlovynError } from '../../src/errors.js';
import { type EventJson, pollAnswer, submitAnswer } from './protobuf.js';

/** A file of tests/histories; its README says what is in it. */
export interface Golden {
  readonly description: string;
  readonly execution: { readonly executionId: string };
  readonly events: readonly EventJson[];
  readonly signalHandlers?: readonly string[];
  readonly turns: readonly Entry[];
  readonly operations?: readonly Finished[];
  readonly commands?: readonly object[];
  readonly status?: string;
  readonly violation?: { readonly message: string };
  readonly error?: ExpectedError;
}

type Entry =
  | Turn
  | { readonly partial: Submitted }
  | { readonly settled: readonly Finished[] }
  | { readonly resume: Submitted & { readonly taskTimeMs: number } };

interface Turn {
  readonly job: object;
  readonly calls: readonly Call[];
}

/** A submission after which the execution goes on. */
interface Submitted {
  readonly operations?: readonly Finished[];
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
  core.setSignalHandlers(id, [...(golden.signalHandlers ?? [])]);
  for (const entry of golden.turns) {
    if ('partial' in entry) {
      submit(id, core.Step.SubmitPartial, 'RUNNING', entry.partial);
      progress.entries += 1;
      core.handleSubmitAnswer(id, submitAnswer(entry.partial.events));
    } else if ('settled' in entry) {
      finish(id, core.Step.PollJob, entry.settled);
      progress.entries += 1;
    } else if ('resume' in entry) {
      submit(id, core.Step.SubmitFinal, 'SUSPENDED', entry.resume);
      progress.entries += 1;
      core.activationResume(id, pollAnswer({ ...entry.resume, executionId: golden.execution.executionId }));
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
  expected: Pick<Submitted, 'operations' | 'commands'>,
): void {
  finish(id, step, expected.operations ?? []);
  const submission = core.takeSubmission(id);
  const described = core.describeSubmission(submission);
  expect('submission', JSON.stringify({ commands: expected.commands, status }), described);
}

/** Nothing is left to tell; operations are started and finish; then this is the next step. */
function finish(id: number, step: core.Step, operations: readonly Finished[]): void {
  expect('job', 'none', jobJson(core.pollJob(id)));
  while (core.pollOperation(id) !== 0);
  for (const finished of operations) {
    if ('error' in finished) core.operationFailed(id, finished.handle, JSON.stringify(finished.error));
    else core.operationCompleted(id, finished.handle, JSON.stringify(finished.result));
  }
  expect('step', step, core.nextStep(id));
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
      const { scope = 0, kind, input, ...options } = argument as Scheduled;
      return JSON.stringify(core.scheduleTask(id, scope, kind, JSON.stringify(input), options));
    }
    case 'startChild': {
      const { scope = 0, kind, input, ...options } = argument as Scheduled;
      return JSON.stringify(core.startChild(id, scope, kind, JSON.stringify(input), options));
    }
    case 'startTimer':
      return String(core.startTimer(id, ...scoped(argument as Scoped<number>)));
    case 'createPromise': {
      const { scope = 0, name, timeoutMs, idempotencyKey } = argument as Record<string, never>;
      return String(core.createPromise(id, scope, name ?? '', timeoutMs, idempotencyKey));
    }
    case 'beginOperation':
      return String(core.beginOperation(id, ...scoped(argument as Scoped<string>)));
    case 'waitForSignal': {
      const [handle, value] = core.waitForSignal(id, ...scoped(argument as Scoped<string>));
      return value === undefined ? `[${handle}]` : `[${handle},${value}]`;
    }
    case 'hasSignal':
    case 'pendingSignalCount':
    case 'patched':
      return String(core[verb](id, argument as string));
    case 'drainSignals':
      return `[${core.drainSignals(id, argument as string).join(',')}]`;
    case 'deprecatePatch':
    case 'completeCancelled':
      core[verb](id, argument as string);
      return undefined;
    case 'openScope': {
      const [parent, cancellable] = argument as [number, boolean];
      return String(core.openScope(id, parent, cancellable));
    }
    case 'cancelScope':
      return JSON.stringify(core.cancelScope(id, argument as number));
    case 'describeCommands':
      return core.describeCommands(id);
    case 'cancelHandle':
      return String(core.cancelHandle(id, argument as number));
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
    case 'isCancellationRequested':
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

interface Scheduled {
  readonly scope?: number;
  readonly kind: string;
  readonly input: unknown;
}

/** An argument of the root scope, or of another one. */
type Scoped<T> = T | [scope: number, argument: T];

function scoped<T extends number | string>(argument: Scoped<T>): [scope: number, argument: T] {
  return Array.isArray(argument) ? argument : [0, argument];
}

function jobJson(job: core.Job | undefined): string {
  if (job === undefined) return 'none';
  const [kind, handle, json, more] = job;
  switch (kind) {
    case 0:
      return more.length === 0
        ? `{"start":${json}}`
        : `{"start":${json},"signals":[${more.map(signalJson).join(',')}]}`;
    case 1:
      return `{"resolve":[${handle},${json}]}`;
    case 2:
      return `{"reject":[${handle},${json}]}`;
    case 3:
      return `{"signal":${signalJson([more, json])}}`;
    case 4:
      return `{"cancel":[${json},${JSON.stringify(more)}]}`;
  }
}

function signalJson([name, value]: [string, string]): string {
  return `[${JSON.stringify(name)},${value}]`;
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
