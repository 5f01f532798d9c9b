import { decoderClose, decoderFinish, decoderOpen, decoderPush, type Frame } from '../core.js';
import { textOf } from '../errors/base.js';
import { CoreTrapped } from '../errors.js';
import { type CallFacts, malformed } from './status.js';

/** A frame decoder of the core for one answer. It must be closed, or the core keeps it for ever. */
export class FrameDecoder {
  readonly #id: number;
  readonly #facts: CallFacts;

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
      throw malformed(this.#facts, `bytes that are none (${textOf(error)})`, error);
    }
  }

  /** Throws `RpcError` if the answer stopped in the middle of a frame. */
  finish(): void {
    try {
      decoderFinish(this.#id);
    } catch (error) {
      if (error instanceof CoreTrapped) throw error;
      throw malformed(this.#facts, `only a part of one (${textOf(error)})`, error);
    }
  }

  /** Gives the decoder back. After a trap it is gone already. */
  close(): void {
    try {
      decoderClose(this.#id);
    } catch {
      // Whatever made the core forget the decoder has failed the call before this.
    }
  }
}
