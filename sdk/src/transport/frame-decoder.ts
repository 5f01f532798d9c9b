import { decoderFinish, decoderOpen, decoderPush, type Frame } from '../core.js';
import { textOf } from '../errors/base.js';
import { CoreTrapped } from '../errors.js';
import { type ExchangeFacts, malformed } from './status.js';

/** A frame decoder of the core for one answer. It must be closed, or the core keeps it for ever. */
export class FrameDecoder {
  readonly #id: number;
  readonly #facts: ExchangeFacts;
  #isOpen = true;

  constructor(maxMessageBytes: number, facts: ExchangeFacts) {
    this.#id = decoderOpen(maxMessageBytes);
    this.#facts = facts;
  }

  /** The frames that `chunk` completes. Throws `RpcError` if it cannot be part of an answer. */
  push(chunk: Uint8Array): Frame[] {
    return this.#understood(() => decoderPush(this.#id, chunk));
  }

  /** Closes the decoder; throws `RpcError` if the answer stopped where it must not. */
  finish(): void {
    this.#isOpen = false;
    this.#understood(() => decoderFinish(this.#id));
  }

  /** Closes the decoder, wherever the answer is, if that has not been done. */
  close(): void {
    if (!this.#isOpen) return;
    try {
      this.finish();
    } catch {
      // The answer has failed, or nobody wants the rest: that it stops in a frame is no news then.
    }
  }

  #understood<T>(decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      throw error instanceof CoreTrapped ? error : malformed(this.#facts, textOf(error), error);
    }
  }
}
