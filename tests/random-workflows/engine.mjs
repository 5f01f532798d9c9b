import {
  decodeEvents,
  encodeGetEvents,
  encodeStartWorkflow,
  engineClose,
  engineHandle,
  engineOpen,
  engineTakeWakes,
  engineTick,
} from '../../sdk/dist/core.js';
import { Method } from '../../sdk/dist/rpc/methods.js';

export const ORG_ID = '00000000-0000-4000-8000-000000000001';
export const QUEUE = 'random';
const START_MS = 1_700_000_000_000;

/** The server: the embedded engine, asked directly, in a time that only moves when it is told to. */
export class Engine {
  nowMs = START_MS;
  /** Counts whatever may give somebody something to do. */
  changes = 0;
  #engine;
  #dueMs;
  #histories = new Map();

  constructor(seed) {
    this.#engine = engineOpen({ orgId: ORG_ID, orgSlug: 'default', seed });
  }

  close() {
    engineClose(this.#engine);
  }

  /**
   * Makes a call: `{ body }`, `{ parked: true }`, or `{ refused: code, message }`.
   *
   * `firstMs` is when a call that was parked was made first.
   */
  call(method, body, { claim, extended = true, firstMs = this.nowMs } = {}) {
    const attempt = { firstAttemptMs: firstMs, expired: false };
    try {
      const answer = engineHandle(this.#engine, method, body, extended, claim, attempt, this.nowMs);
      if (!(answer instanceof Uint8Array)) return { parked: true };
      // What only reads gives nobody anything to do.
      if (method !== Method.GetEvents) this.#followUp();
      return { body: answer };
    } catch (error) {
      if (typeof error.grpcCode !== 'number') throw error;
      return { refused: error.grpcCode, message: error.message };
    }
  }

  /** When the engine next has something to do by itself; undefined if nothing is due. */
  get dueMs() {
    return this.#dueMs;
  }

  advanceTo(timeMs) {
    this.nowMs = Math.max(this.nowMs, timeMs);
    this.#followUp();
  }

  start(kind, block) {
    const request = { orgId: ORG_ID, workflowKind: kind, input: JSON.stringify(block), queue: QUEUE };
    return this.call(Method.StartWorkflow, encodeStartWorkflow(request)).body;
  }

  /** The events of an execution so far: `{ sequence, eventType, data }`, `data` as JSON text. */
  history(executionId) {
    const known = this.#histories.get(executionId) ?? [];
    this.#histories.set(executionId, known);
    for (let hasMore = true; hasMore; ) {
      const request = { workflowExecutionId: executionId, afterSequence: known.length, pageSize: 0 };
      const page = decodeEvents(this.call(Method.GetEvents, encodeGetEvents(request)).body);
      for (const { sequence, eventType, data } of page.events) known.push({ sequence, eventType, data });
      hasMore = page.hasMore;
    }
    return known;
  }

  #followUp() {
    this.changes += 1;
    this.#dueMs = engineTick(this.#engine, this.nowMs);
    engineTakeWakes(this.#engine);
  }
}
