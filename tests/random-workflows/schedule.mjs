import { Method } from '../../sdk/dist/rpc/methods.js';
import { AFTER_PATCHES, BEFORE_PATCHES, WITH_PATCHES } from './interpreter.mjs';
import { HANDLED, KEYS, SIGNALS } from './program.mjs';
import { Disagreement } from './world.mjs';

/** Signals that are there before any worker: how many, in one of so many runs each. */
const EARLY_MAX = 3;
const EARLY_CHANCES = 8;
/** So long everything may happen; after that everything goes well until the end. */
const WILD_STEPS_MAX = 100;
const CALM_STEPS_MAX = 2000;
/** Longer than a claim lasts without a sign of life. */
const LEASE_OVER_MS = 61_000;
const PLAIN_PAUSE_MAX_MS = 30_000;
/** Nothing that a workflow waits for takes longer: a plain claim whose submission was lost ends after ten minutes. */
const SOON_MS = 700_000;
/** So often only the time moves before signals are tried. */
const PAUSES_MAX = 8;
/** No workflow waits for more signals of one name. */
const ROUNDS_MAX = 60;

/**
 * Lets things happen to a world: what happens next is drawn, from all that can.
 *
 * @param {import('./world.mjs').World} world
 * @param {import('./chance.mjs').Chance} chance
 */
export async function play(world, chance) {
  world.codeVersion = chance.weighted([
    [3, WITH_PATCHES],
    [2, BEFORE_PATCHES],
    [1, AFTER_PATCHES],
  ]);
  for (let early = chance.draw(EARLY_CHANCES) - EARLY_CHANCES + EARLY_MAX; early > 0; early -= 1)
    signal(world, chance);
  const [first, second] = chance.weighted([
    [8, [true, true]],
    [1, [false, false]],
    [1, [false, true]],
  ]);
  world.asksTasksToStop = first && second;
  world.addWorker(first ? 'caching' : 'plain', { extended: first });
  world.addWorker('replaying', { extended: second, alwaysReplay: true });
  await world.quiet();
  const wildSteps = chance.draw(WILD_STEPS_MAX);
  for (let step = 0; step < wildSteps && !isOver(world); step += 1) {
    wildStep(world, chance);
    await world.quiet();
  }
  world.step('from here on everything goes well');
  for (let step = 0; !isOver(world); step += 1) {
    if (step > CALM_STEPS_MAX) throw new Disagreement('stuck', `no end after ${CALM_STEPS_MAX} steps`);
    if (!calmStep(world))
      throw new Disagreement('stuck', 'nothing can happen any more, and it has not ended');
    await world.quiet();
  }
}

function isOver(world) {
  return world.open.length === 0;
}

function isBusy(world, isMeant = () => true) {
  return world.workers.some((worker) => worker.isBusy && isMeant(worker));
}

function isPlain({ extended }) {
  return !extended;
}

/** Without claim tokens it is only time that ends a claim: no worker may take so long that it has lost its own. */
function isTooLong(world, dueMs) {
  return isBusy(world, isPlain) && dueMs > world.engine.nowMs + PLAIN_PAUSE_MAX_MS;
}

/** Polls that were answered with nothing have to be asked again only when something has changed. */
function answerable(world) {
  return world.calls.filter(({ parkedAt }) => parkedAt !== world.engine.changes);
}

function wildStep(world, chance) {
  const { claimedTasks, finishedTasks, promises, operations, dueMs } = world;
  const open = promises.filter(({ isAnswered }) => !isAnswered);
  const answered = promises.filter(({ isAnswered }) => isAnswered);
  const calls = answerable(world);
  const choices = [
    ...calls.map((call) => [30, () => wildCall(world, chance, call)]),
    ...operations.map((operation) => [20, () => endOperation(world, chance, operation)]),
    ...(world.mayHaveTask ? [[30, () => world.claimTask()]] : []),
    ...claimedTasks.map((task) => [36, () => endTask(world, chance, task)]),
    ...open.map((promise) => [16, () => answerPromise(world, chance, promise)]),
    ...(dueMs === undefined || isTooLong(world, dueMs) ? [] : [[12, () => advance(world, dueMs)]]),
    ...(isBusy(world) && !isBusy(world, isPlain) ? [[2, () => takeOver(world)]] : []),
    [2, () => replace(world, chance)],
    [4, () => signal(world, chance)],
    [3, () => query(world, chance)],
    [1, () => cancel(world, chance)],
    ...(mayDeploy(world) ? [[6, () => deploy(world)]] : []),
    ...(finishedTasks.length > 0 ? [[4, () => repeatTask(world, chance)]] : []),
    ...(answered.length > 0 ? [[6, () => repeatPromise(world, chance, answered)]] : []),
  ];
  chance.weighted(choices)();
}

function wildCall(world, chance, call) {
  const isPoll = call.method === Method.PollWorkflow;
  const fate = chance.weighted([
    [40, 'delivered'],
    [isPoll ? 0 : 2, 'request lost'],
    [isPoll ? 1 : 3, 'answer lost'],
    [isPoll ? 0 : 2, 'killed before'],
    [isPoll ? 1 : 2, 'killed after'],
  ]);
  const changes = world.engine.changes;
  if (fate === 'killed before') return kill(world, call.worker, fate);
  world.deliver(call, {
    losesRequest: fate === 'request lost',
    losesAnswer: fate === 'answer lost' || fate === 'killed after',
  });
  if (call.parkedAt === world.engine.changes && changes === world.engine.changes) return;
  if (fate === 'killed after') kill(world, call.worker, fate);
  else if (fate !== 'delivered') world.count('faults', fate);
}

function kill(world, worker, fate) {
  world.count('faults', fate);
  world.replaceWorker(worker, 'kill');
}

function replace(world, chance) {
  const worker = chance.pick(world.workers.filter(({ isStopping }) => !isStopping));
  const how = chance.pick(['stop', 'kill']);
  world.count('faults', how === 'kill' ? 'killed at rest' : 'stopped');
  world.replaceWorker(worker, how);
}

function advance(world, dueMs) {
  if (world.engine.dueMs <= dueMs) countLanded(world);
  world.advanceTo(dueMs);
}

/** Something reaches the server after a worker has taken the history. */
function countLanded(world) {
  if (isBusy(world)) world.count('faults', 'landed in an activation');
}

function takeOver(world) {
  world.count('faults', 'claim taken over');
  world.advanceTo(world.engine.nowMs + LEASE_OVER_MS);
}

function endOperation(world, chance, operation) {
  const isFailure = chance.once(4);
  world.count('faults', isFailure ? 'operation fails' : 'operation ends');
  world.endOperation(operation, isFailure);
}

function endTask(world, chance, task) {
  const fate = chance.weighted([
    [5, 'completes'],
    [4, 'fails'],
    [4, 'fails for good'],
  ]);
  countLanded(world);
  world.count('faults', `task ${fate}`);
  if (fate === 'completes') world.completeTask(task, chance.once(6) ? null : world.value());
  else world.failTask(task, fate === 'fails');
}

function answerPromise(world, chance, promise) {
  countLanded(world);
  world.answerPromise(promise, chance.once(4));
}

/** The old ways may go when nothing took them, and no code is left that could. */
function mayDeploy({ codeVersion, tookOldWay, workers }) {
  if (codeVersion === BEFORE_PATCHES) return true;
  const isOld = (worker) => worker.codeVersion === BEFORE_PATCHES;
  return codeVersion === WITH_PATCHES && !tookOldWay && !workers.some(isOld);
}

function deploy(world) {
  world.count('faults', 'other code deployed');
  world.deploy();
}

function signal(world, chance) {
  countLanded(world);
  world.count('faults', 'signal');
  world.signal(chance.pick(world.open), chance.pick([...SIGNALS, HANDLED]));
}

function query(world, chance) {
  const executionId = chance.pick([...world.executions.keys()]);
  const key = chance.pick([undefined, undefined, ...KEYS]);
  if (key === undefined) return world.questions.askWorkers(executionId);
  world.count('faults', 'state asked');
  world.questions.askServer(executionId, key);
}

function cancel(world, chance) {
  countLanded(world);
  world.count('faults', 'cancel request');
  world.cancel(chance.pick(world.open));
}

function repeatTask(world, chance) {
  world.count('faults', 'task ends twice');
  world.completeTask(chance.pick(world.finishedTasks), world.value());
}

function repeatPromise(world, chance, answered) {
  world.count('faults', 'promise answered twice');
  world.answerPromise(chance.pick(answered), false);
}

/** What brings the world nearer to its end; false if there is nothing. */
function calmStep(world) {
  const { dueMs } = world;
  const before = world.steps.length;
  const hasWorked = work(world);
  // A poll that brings nothing is no step.
  if (world.steps.length > before) world.pauses = 0;
  if (hasWorked) return true;
  world.pauses = (world.pauses ?? 0) + 1;
  if (world.pauses <= PAUSES_MAX && dueMs !== undefined && dueMs < world.engine.nowMs + SOON_MS)
    return done(world.advanceTo(dueMs));
  // It may wait for signals: one each, until it has had more than it can want.
  world.pauses = 0;
  world.rounds = (world.rounds ?? 0) + 1;
  if (world.rounds > ROUNDS_MAX) return false;
  for (const executionId of world.open) for (const name of SIGNALS) world.signal(executionId, name);
  return true;
}

/** Does what can be done now; false if there is nothing. */
function work(world) {
  const [call] = answerable(world);
  if (call !== undefined) return done(world.deliver(call));
  const [operation] = world.operations;
  if (operation !== undefined) return done(world.endOperation(operation, false));
  const [task] = world.claimedTasks;
  if (task !== undefined) return done(world.completeTask(task, world.value()));
  if (world.mayHaveTask) return done(world.claimTask());
  const promise = world.promises.find(({ isAnswered }) => !isAnswered);
  if (promise !== undefined) return done(world.answerPromise(promise, false));
  return false;
}

function done() {
  return true;
}
