/** A history as an undisturbed run and a disturbed one must share it: no suspensions, ids and times by order of appearance. */
export function normalise(events) {
  const ids = new Map();
  const id = (text) => {
    if (!ids.has(text)) ids.set(text, `id-${ids.size + 1}`);
    return ids.get(text);
  };
  return events
    .filter((event) => event.eventType !== 'WORKFLOW_SUSPENDED')
    .map(({ eventType, data }) => {
      const copy = { ...data };
      for (const field of ['taskExecutionId', 'promiseId']) if (field in copy) copy[field] = id(copy[field]);
      if ('fireAtMs' in copy) copy.fireAtMs = 'time';
      if (copy.operationName === '$time') copy.result = 'time';
      return { eventType, ...copy };
    });
}

/** The steps whose record is in the history: they must never run again. */
export function recordedSteps(events) {
  return events.flatMap(({ eventType, data }) => {
    if (eventType === 'TASK_COMPLETED') return [data.kind];
    if (eventType === 'OPERATION_COMPLETED' && !data.operationName.startsWith('$'))
      return [data.operationName];
    return [];
  });
}
