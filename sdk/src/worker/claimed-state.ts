import { decodeOne, encodeOne, type PayloadCodec } from '../codec.js';
import { decodeGetTaskState, decodeTaskStateKeys, encodeSetTaskState, encodeTaskStateKey } from '../core.js';
import { checkText } from '../options.js';
import { Method } from '../rpc/methods.js';
import type { Serializer } from '../serde.js';
import type { TaskState } from '../task/reports.js';
import type { TaskClaim } from './task-claim.js';

/** The state of a task, as an attempt that holds its claim sees it. */
export class ClaimedTaskState implements TaskState {
  readonly #taskExecutionId: string;
  readonly #claim: TaskClaim;
  readonly #serializer: Serializer;
  readonly #codec: PayloadCodec | undefined;

  constructor(
    taskExecutionId: string,
    claim: TaskClaim,
    serializer: Serializer,
    codec: PayloadCodec | undefined,
  ) {
    this.#taskExecutionId = taskExecutionId;
    this.#claim = claim;
    this.#serializer = serializer;
    this.#codec = codec;
  }

  async get<T = unknown>(key: string): Promise<T | null> {
    checkText('ctx.state.get, key', key);
    const request = encodeTaskStateKey({ taskExecutionId: this.#taskExecutionId, key });
    const value = decodeGetTaskState(await this.#claim.ask(Method.GetState, request));
    return value === undefined ? null : this.#serializer.deserialize<T>(await decodeOne(this.#codec, value));
  }

  async set(key: string, value: unknown): Promise<void> {
    checkText('ctx.state.set, key', key);
    const payload = await encodeOne(this.#codec, this.#serializer.serialize(value));
    const request = encodeSetTaskState({ taskExecutionId: this.#taskExecutionId, key, value: payload });
    await this.#claim.ask(Method.SetState, request);
  }

  async clear(key: string): Promise<void> {
    checkText('ctx.state.clear, key', key);
    const request = encodeTaskStateKey({ taskExecutionId: this.#taskExecutionId, key });
    await this.#claim.ask(Method.ClearState, request);
  }

  async clearAll(): Promise<void> {
    await this.#claim.ask(
      Method.ClearAllState,
      encodeTaskStateKey({ taskExecutionId: this.#taskExecutionId }),
    );
  }

  async keys(): Promise<string[]> {
    const request = encodeTaskStateKey({ taskExecutionId: this.#taskExecutionId });
    return decodeTaskStateKeys(await this.#claim.ask(Method.GetStateKeys, request)).sort();
  }
}
