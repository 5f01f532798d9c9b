import { FrameDecoder } from './frame-decoder.js';
import type { CarriedAnswer } from './carrier.js';
import type { Exchange } from './exchange.js';
import { foreignAnswer, isOfProtocol } from './foreign-answer.js';
import { malformed, statusError } from './status.js';
import type { UnaryAnswer } from './transport.js';

/**
 * Checks that an answer is one of the protocol and did not fail. A status can stand in the headers of any answer,
 * whatever its HTTP status and content type say.
 */
export async function readHead(exchange: Exchange, answer: CarriedAnswer): Promise<void> {
  throwUnlessOk(exchange, answer.headers);
  const isOk = answer.status >= 200 && answer.status < 300;
  if (!isOk || !isOfProtocol(exchange.facts.protocol, answer.headers['content-type'] ?? ''))
    throw await foreignAnswer(exchange, answer);
}

/** Reads an answer that must be one message and the status OK. */
export async function readUnary(
  exchange: Exchange,
  answer: CarriedAnswer,
  maxMessageBytes: number,
): Promise<UnaryAnswer> {
  await readHead(exchange, answer);
  let body: Uint8Array | undefined;
  for await (const message of readMessages(exchange, answer, maxMessageBytes)) {
    if (body !== undefined) throw malformed(exchange.facts, 'expected one message, got more');
    body = message;
  }
  if (body === undefined)
    throw malformed(exchange.facts, 'expected a message before the status OK, got none');
  return { body, metadata: { ...answer.headers, ...answer.trailers } };
}

/** The messages of an answer; ends when its status is OK and throws for any other. */
export async function* readMessages(
  exchange: Exchange,
  answer: CarriedAnswer,
  maxMessageBytes: number,
): AsyncGenerator<Uint8Array, void> {
  const { facts } = exchange;
  const decoder = new FrameDecoder(maxMessageBytes, facts);
  let ended = answer.headers['grpc-status'] === '0';
  try {
    for (;;) {
      const chunk = await exchange.read(answer);
      if (chunk === undefined) break;
      for (const frame of decoder.push(chunk)) {
        if (frame[0] === 0) {
          yield frame[1];
        } else {
          if (facts.protocol === 'gRPC')
            throw malformed(facts, 'expected trailers after the body, got them in a frame');
          if (frame[1] !== 0) throw statusError(frame[1], frame[2], facts);
          ended = true;
        }
      }
    }
    throwUnlessOk(exchange, answer.trailers);
    decoder.finish();
  } finally {
    decoder.close();
  }
  if (!ended && answer.trailers['grpc-status'] !== '0')
    throw malformed(facts, 'expected a status at the end, got none');
}

/** Throws the error of a status that stands in headers or trailers and is not OK. */
function throwUnlessOk(exchange: Exchange, metadata: Readonly<Record<string, string>>): void {
  const status = metadata['grpc-status'];
  if (status === undefined || status === '0') return;
  throw statusError(Number(status), percentDecoded(metadata['grpc-message'] ?? ''), exchange.facts);
}

/** gRPC writes what is not printable ASCII as %XX. A text that breaks the rule is shown as it came. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
