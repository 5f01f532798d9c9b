import { differenceFromPrefix, differenceFromReplay, rerun } from '../support/rerun.mjs';
import { interpreter } from './interpreter.mjs';
import { checkRules } from './rules.mjs';
import { Disagreement } from './world.mjs';

const FROM_OUTSIDE = new Set(['WORKFLOW_STARTED', 'SIGNAL_RECEIVED', 'CANCELLATION_REQUESTED']);

/**
 * Replays every execution of a world that has come to rest, without a cache: from its whole history, and from each part
 * of it that a submission was made from. Every run of the function must have seen the same, and asked for the same.
 *
 * @param {import('./world.mjs').World} world
 */
export async function checkReplays(world) {
  for (const [executionId, { name }] of world.executions) {
    const events = world.engine.history(executionId);
    const isForced = endedByServer(world, executionId);
    const submissions = world.submissions.filter((submission) => submission.executionId === executionId);
    const trace = isForced
      ? await traceUntilForced(world, executionId, events)
      : await checkFullReplays(world, name, executionId, events);
    // What it did after its last submission is in no history.
    const told = isForced ? toldLength(world, submissions) : trace.length;
    checkRules(executionId, trace.slice(0, told), events, { isWhole: !isForced, isPlain: isPlain(world) });
    for (const submission of submissions) {
      // Code of another version may rightly have seen something else.
      if (submission.codeVersion === world.codeVersion) checkTrace(name, submission, trace);
      if (!hasBegunEarlier(submission, events)) await checkPrefix(world, name, submission, events);
    }
  }
}

/** Whether some workers know nothing of the extension. */
function isPlain({ workers }) {
  return workers.some(({ extended }) => !extended);
}

/** As workers would that know the extension and, where there were some, as those that do not. Gives what they saw. */
async function checkFullReplays(world, name, executionId, events) {
  if (isPlain(world)) await checkFullReplay(world, name, executionId, events, false);
  return checkFullReplay(world, name, executionId, events, true);
}

async function checkFullReplay(world, name, executionId, events, extended) {
  const { definition, traces } = observer(world);
  const text = `the ${extended ? 'full' : 'plain full'} replay of ${name} ends otherwise`;
  const check = () =>
    differenceFromReplay({ definition, executionId, events, taskTimeMs: world.engine.nowMs, extended });
  await compare('full replay', text, check);
  return traces[0];
}

/**
 * Whether the function had begun before some of the events came that were held in the end, and nothing of it was recorded
 * yet: a worker that begins with all of them may rightly do something else.
 */
function hasBegunEarlier({ heldSequence, claimedSequence }, events) {
  const isFromOutside = ({ eventType }) => FROM_OUTSIDE.has(eventType);
  return heldSequence > claimedSequence && events.slice(0, heldSequence).every(isFromOutside);
}

/** How much of what the newest code did, replayed, a submission has told of. */
function toldLength(world, submissions) {
  const own = submissions.filter(({ codeVersion }) => codeVersion === world.codeVersion);
  return Math.max(0, ...own.map(({ traceLength }) => traceLength));
}

/** Whether the server has ended an execution over the head of its function. */
function endedByServer(world, executionId) {
  const last = world.submissions.findLast((submission) => submission.executionId === executionId);
  return last === undefined || last.status === 'SUSPENDED' || last.status === 'RUNNING';
}

async function traceUntilForced(world, executionId, events) {
  const { definition, traces } = observer(world);
  const given = { definition, executionId, events: events.slice(0, -1), taskTimeMs: world.engine.nowMs };
  // It may stand in the middle of anything.
  await rerun(given).catch(() => {});
  return traces[0];
}

function checkTrace(name, { trace, traceLength, worker }, replayed) {
  for (let at = 0; at < traceLength; at += 1) {
    if (String(trace[at]) === String(replayed[at])) continue;
    throw new Disagreement('trace', `${worker} and the full replay of ${name} saw different things`, {
      expected: lines(trace.slice(0, at + 1)),
      got: lines(replayed.slice(0, at + 1)),
    });
  }
}

async function checkPrefix(world, name, submission, events) {
  const { worker, heldSequence, executionId } = submission;
  const { definition } = observer(world, submission.codeVersion);
  const text = `${worker} and a replay of ${name} from the first ${heldSequence} events submitted different things`;
  await compare('prefix', text, () => differenceFromPrefix({ definition, executionId, events, submission }));
}

async function compare(check, text, find) {
  let difference;
  try {
    difference = await find();
  } catch (error) {
    throw new Disagreement(check, `${text}: ${error.message}`);
  }
  if (difference !== undefined) throw new Disagreement(check, text, difference);
}

/** The workflow for a replay that nobody but its trace knows of. */
function observer(world, codeVersion = world.codeVersion) {
  const traces = [];
  const definition = interpreter((_, trace) => {
    traces.push(trace);
    return {
      program: world.program,
      codeVersion,
      tookOldWay: () => {},
      asksTasksToStop: world.asksTasksToStop,
      note: () => {},
      operation: () => Promise.reject(new Error('never run')),
    };
  });
  return { definition, traces };
}

function lines(trace) {
  return trace.map((entry) => entry.join(' '));
}
