import type { PayloadCodec } from '../codec.js';
import {
  activationClose,
  activationEncodedPayloads,
  activationHandleDecodedPayloads,
  activationHandleEvents,
  activationHandleFirstEvents,
  activationInfo,
  type ActivationInfo,
  activationLastSequence,
  activationMemoryBytes,
  activationOpen,
  activationResume,
  handleSubmitAnswer,
  stageSubmission,
  takeSubmission,
} from '../core.js';
import { CoreTrapped } from '../errors.js';
import type { Stop } from '../runtime/stop.js';

/** What an activation needs from outside: pages of its history, and somebody to send its submissions to. */
export interface ActivationHost {
  /**
   * Fires when the activation must end without another submission: the claim is lost, or the worker stops.
   */
  readonly stop: Stop;
  /** The events after this one: the answer of GetEvents. */
  getEvents(afterSequence: number): Promise<Uint8Array>;
  /** Sends a submission and gives the answer. */
  submit(submission: Uint8Array): Promise<Uint8Array>;
  /** The poll that goes out with the last submission, so that its answer brings the next piece of work. */
  nextPoll?(): Uint8Array | undefined;
}

/** One execution in the core, with its history and submissions going through the host and the codec. */
export class Activation {
  /** Its number in the core. */
  readonly id: number;
  readonly #codec: PayloadCodec | undefined;
  #info: ActivationInfo | undefined;
  readonly #extended: boolean;
  /** What this activation began with, kept while it lasts. */
  #pollAnswer: Uint8Array | undefined;
  #isClosed = false;

  private constructor(
    id: number,
    codec: PayloadCodec | undefined,
    extended: boolean,
    pollAnswer?: Uint8Array,
  ) {
    this.id = id;
    this.#codec = codec;
    this.#extended = extended;
    this.#pollAnswer = pollAnswer;
  }

  /**
   * Opens an activation from the answer of PollWorkflow; undefined if it brings no work. It must be closed.
   */
  static open(
    pollAnswer: Uint8Array,
    extended: boolean,
    codec: PayloadCodec | undefined,
  ): Activation | undefined {
    const id = activationOpen(pollAnswer, extended);
    return id === 0 ? undefined : new Activation(id, codec, extended, pollAnswer);
  }

  /** An activation that was opened otherwise. */
  static of(id: number, codec: PayloadCodec | undefined): Activation {
    return new Activation(id, codec, true);
  }

  /** What the last poll said of the execution. */
  get info(): ActivationInfo {
    this.#info ??= activationInfo(this.id);
    return this.#info;
  }

  /** Whether the server knows our extensions. */
  get extended(): boolean {
    return this.#extended;
  }

  /** About how many bytes the core holds of it. */
  get memoryBytes(): number {
    return activationMemoryBytes(this.id);
  }

  /** The last event that it holds. */
  get lastSequence(): number {
    return activationLastSequence(this.id);
  }

  /** Takes in the events that came with the claim and fetches what is missing of the history. */
  async load(host: ActivationHost): Promise<void> {
    activationHandleFirstEvents(this.id);
    if (this.info.hasMoreEvents) await this.#fetchEvents(host);
    await this.#decodeEvents();
  }

  /**
   * Takes in the answer of a later poll for the same execution, whose last submission was this one's. Rejects with a
   * `CoreError` of code `STALE` when the history is not the continuation of what is held here.
   */
  async resume(pollAnswer: Uint8Array, host: ActivationHost): Promise<void> {
    if (this.takeIn(pollAnswer)) await this.#fetchEvents(host);
    await this.#decodeEvents();
  }

  /** The first part of `resume`, which needs no host: whether there are more events than the answer brought. */
  takeIn(pollAnswer: Uint8Array): boolean {
    const hasMoreEvents = activationResume(this.id, pollAnswer);
    this.#info = undefined;
    this.#pollAnswer = pollAnswer;
    return hasMoreEvents;
  }

  /**
   * The same execution once more, to be replayed for what can be learned from it: its whole history, and no right to
   * submit anything. Undefined if it is not known what this was opened from. It must be closed.
   */
  async copy(host: ActivationHost): Promise<Activation | undefined> {
    if (this.#pollAnswer === undefined) return undefined;
    const copy = Activation.open(this.#pollAnswer, this.#extended, this.#codec);
    if (copy === undefined) return undefined;
    try {
      await copy.#fetchEvents(host);
      await copy.#decodeEvents();
      return copy;
    } catch (error) {
      copy.close();
      throw error;
    }
  }

  /**
   * Takes in what has happened since the last event that is held, while the activation goes on. Nothing, from a server
   * without our extensions: it would send the whole history each time.
   */
  async lookForEvents(host: ActivationHost): Promise<void> {
    if (!this.#extended) return;
    await this.#fetchEvents(host);
    await this.#decodeEvents();
  }

  /** Sends a partial submission and takes in the events that came back. */
  async submitPartial(host: ActivationHost): Promise<void> {
    const answer = await host.submit(await this.#takeSubmission());
    if (handleSubmitAnswer(this.id, answer)) await this.#fetchEvents(host);
    await this.#decodeEvents();
  }

  /** Sends the last submission. */
  async submitFinal(host: ActivationHost): Promise<void> {
    await host.submit(await this.#takeSubmission(host.nextPoll?.()));
    this.#pollAnswer = undefined;
  }

  /** Lets the core forget it. A second call, and one after a trap, do nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      activationClose(this.id);
    } catch (error) {
      if (!(error instanceof CoreTrapped)) throw error;
    }
  }

  async #takeSubmission(nextPoll?: Uint8Array): Promise<Uint8Array> {
    const encoded = this.#codec && (await this.#codec.encode(stageSubmission(this.id)));
    return takeSubmission(this.id, encoded, nextPoll);
  }

  async #fetchEvents(host: ActivationHost): Promise<void> {
    let hasMore = true;
    while (hasMore) {
      const page = await host.getEvents(activationLastSequence(this.id));
      hasMore = activationHandleEvents(this.id, page);
    }
  }

  async #decodeEvents(): Promise<void> {
    if (this.#codec === undefined) return;
    activationHandleDecodedPayloads(this.id, await this.#codec.decode(activationEncodedPayloads(this.id)));
  }
}
