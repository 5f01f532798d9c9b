import { decoderFinish, decoderOpen, decoderPush, type Frame } from '../core.js';
import { textOf } from '../errors/base.js';
import { CoreTrapped } from '../errors.js';
import { type CallFacts, cutOff, malformed } from './status.js';

/** A frame decoder of the core for one answer. It must be closed, or the core keeps it for ever. */
export class FrameDecoder {
  readonly #id: number;
  readonly #facts: CallFacts;
  #open = true;

  constructor(maxMessageBytes: number, facts: CallFacts) {
    this.#id = decoderOpen(maxMessageBytes);
    this.#facts = facts;
  }

  /** The frames that `chunk` completes. Throws `RpcError` if it cannot be part of an answer. */
  push(chunk: Uint8Array): Frame[] {
    try {
      return decoderPush(this.#id, chunk);
    } catch (error) {
      if (error instanceof CoreTrapped) throw error;
      throw malformed(this.#facts, `bytes that are no frame: ${textOf(error)}`, error);
    }
  }

  /** Closes the decoder; throws `ConnectionError` if the answer stopped in the middle of a frame. */
  finish(): void {
    this.#open = false;
    try {
      decoderFinish(this.#id);
    } catch (error) {
      if (error instanceof CoreTrapped) throw error;
      throw cutOff(this.#facts, textOf(error), error);
    }
  }

  /** Closes the decoder wherever the answer is. */
  close(): void {
    if (!this.#open) return;
    try {
      this.finish();
    } catch {
      // The answer has failed or is not wanted any more: that it holds half a frame is no news then.
    }
  }
}
