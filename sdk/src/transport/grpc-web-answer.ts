import { FrameDecoder } from './frame-decoder.js';
import { foreignAnswer, isGrpcWeb } from './foreign-answer.js';
import { malformed, statusError } from './status.js';
import type { UnaryAnswer } from './transport.js';
import type { WebCall } from './web-call.js';

/**
 * Checks that an answer is gRPC-Web and did not fail; gives its headers. A status can stand in the headers of any
 * answer, whatever its HTTP status and content type say.
 */
export async function readHead(call: WebCall, response: Response): Promise<Record<string, string>> {
  const metadata: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    metadata[name.toLowerCase()] = value;
  });
  const status = metadata['grpc-status'];
  if (status !== undefined && status !== '0') {
    throw statusError(Number(status), percentDecoded(metadata['grpc-message'] ?? ''), call.facts);
  }
  if (!response.ok || !isGrpcWeb(metadata['content-type'] ?? '')) throw await foreignAnswer(call, response);
  return metadata;
}

/** Reads an answer that must be one message and the status OK. */
export async function readUnary(
  call: WebCall,
  response: Response,
  maxMessageBytes: number,
): Promise<UnaryAnswer> {
  const metadata = await readHead(call, response);
  let body: Uint8Array | undefined;
  for await (const message of readMessages(call, response, metadata, maxMessageBytes)) {
    if (body !== undefined) throw malformed(call.facts, 'expected one message, got more');
    body = message;
  }
  if (body === undefined) throw malformed(call.facts, 'expected a message before the status OK, got none');
  return { body, metadata };
}

/** The messages of an answer; ends when its status is OK and throws for any other. */
export async function* readMessages(
  call: WebCall,
  response: Response,
  metadata: Readonly<Record<string, string>>,
  maxMessageBytes: number,
): AsyncGenerator<Uint8Array, void> {
  const decoder = new FrameDecoder(maxMessageBytes, call.facts);
  let ended = metadata['grpc-status'] === '0';
  try {
    for await (const chunk of call.chunks(response)) {
      for (const frame of decoder.push(chunk)) {
        if (frame[0] === 0) {
          yield frame[1];
        } else {
          if (frame[1] !== 0) throw statusError(frame[1], frame[2], call.facts);
          ended = true;
        }
      }
    }
    decoder.finish();
  } finally {
    decoder.close();
  }
  if (!ended) throw malformed(call.facts, 'expected a status at the end, got none');
}

/** gRPC writes what is not printable ASCII as %XX. A text that breaks the rule is shown as it came. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
