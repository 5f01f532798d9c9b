import { ConnectionError, type FlovynError, GrpcCode } from '../errors.js';
import { statusError } from './status.js';
import type { WebCall } from './web-call.js';

/** How much of a foreign answer is shown. */
const EXCERPT_CHARS = 120;

/** Enough bytes for the excerpt, whatever the characters are. */
const EXCERPT_BYTES = EXCERPT_CHARS * 4;

/** What an HTTP status without a gRPC status stands for, as the gRPC specification has it; 413 is ours. */
const CODES = new Map<number, number>([
  [400, GrpcCode.INTERNAL],
  [401, GrpcCode.UNAUTHENTICATED],
  [403, GrpcCode.PERMISSION_DENIED],
  [404, GrpcCode.UNIMPLEMENTED],
  [413, GrpcCode.RESOURCE_EXHAUSTED],
  [429, GrpcCode.UNAVAILABLE],
  [502, GrpcCode.UNAVAILABLE],
  [503, GrpcCode.UNAVAILABLE],
  [504, GrpcCode.UNAVAILABLE],
]);

/** Whether a content type is that of an answer that can be read here. */
export function isGrpcWeb(contentType: string): boolean {
  return /^application\/grpc-web(\+proto)?\s*(;|$)/i.test(contentType.trim());
}

/** The error for an answer of something that is no Flovyn server, or of a proxy before one. */
export async function foreignAnswer(call: WebCall, response: Response): Promise<FlovynError> {
  const contentType = response.headers.get('content-type') ?? 'no content type';
  const got = `HTTP ${response.status} (${contentType})${await excerpt(call, response)}`;
  const text =
    `${call.facts.method} got no answer of a Flovyn server: expected gRPC-Web from ${call.facts.serverUrl}, got ${got}. ` +
    advice(response.status, contentType);
  return statusError(CODES.get(response.status) ?? GrpcCode.UNKNOWN, text, call.facts);
}

function advice(status: number, contentType: string): string {
  if (/^application\/grpc\s*(\+|;|$)/i.test(contentType)) {
    return 'That server speaks gRPC but no gRPC-Web: turn gRPC-Web on, or put a proxy before it that translates';
  }
  if (status === 401 || status === 403) return 'A proxy before the server refused the request';
  if (status === 413)
    return 'A proxy before the server takes no request of that size: send less, or raise its limit';
  if (CODES.get(status) === GrpcCode.UNAVAILABLE)
    return 'The server behind that address does not serve now: try later';
  if (status >= 500) return 'The logs of the server, or of a proxy before it, should say why';
  return 'Check that serverUrl is the address of a Flovyn server, not that of a web page or another service';
}

/** The beginning of a body, on one line, in quotes. Of a body that breaks off, what came. */
async function excerpt(call: WebCall, response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    for await (const chunk of call.chunks(response)) {
      text += decoder.decode(chunk.subarray(0, EXCERPT_BYTES), { stream: true });
      bytes += chunk.length;
      if (bytes >= EXCERPT_BYTES) break;
    }
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
  }
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  if (line === '') return ' without a body';
  return ` "${line.length > EXCERPT_CHARS ? `${line.slice(0, EXCERPT_CHARS)}...` : line}"`;
}
