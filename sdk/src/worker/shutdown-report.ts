/** Work by the ids of its executions. */
export interface WorkIds {
  /** Ids of executions. */
  readonly workflowExecutions: readonly string[];
  /** Ids of tasks. */
  readonly taskExecutions: readonly string[];
}

/** How a shutdown went. */
export interface ShutdownReport {
  /** From the first call of `shutdown` to its end, in milliseconds. */
  readonly durationMs: number;
  /**
   * What was under way when the grace period was over, and ended when its signal fired. It was given back: other workers
   * go on with it at once.
   */
  readonly aborted: WorkIds;
  /**
   * What did not end although its signal fired, and was left behind. Other workers get it when its lease is over; a task
   * that still runs here is not reported any more.
   */
  readonly left: WorkIds;
}

/** No work. */
export const NO_WORK: WorkIds = { workflowExecutions: [], taskExecutions: [] };

/** What a shutdown reports that had nothing to do. */
export const NOTHING_SHUT_DOWN: ShutdownReport = { durationMs: 0, aborted: NO_WORK, left: NO_WORK };

/** The one line that a shutdown is logged by, and its level. */
export function shutdownLine({ durationMs, aborted, left }: ShutdownReport): ['info' | 'warn', string] {
  const took = `after ${Math.round(durationMs)} ms`;
  const [gone, stuck] = [idsOf(aborted), idsOf(left)];
  const given = gone.length > 0 ? `; given back after the grace period: ${gone.join(', ')}` : '';
  if (stuck.length > 0) {
    const text = 'the worker stopped although work was still under way and did not heed its signal';
    return ['warn', `${text}, ${took}${given}; left: ${stuck.join(', ')}`];
  }
  return ['info', `the worker stopped ${took}${given}`];
}

function idsOf({ workflowExecutions, taskExecutions }: WorkIds): string[] {
  return [...workflowExecutions, ...taskExecutions];
}
