import { AuthenticationError, ConnectionError, type FlovynError, RpcError } from '../errors.js';
import type { WebCall } from './web-call.js';

/** How much of a foreign answer is shown. */
const EXCERPT_CHARS = 120;

/** Enough bytes for the excerpt, whatever the characters are. */
const EXCERPT_BYTES = EXCERPT_CHARS * 4;

/** HTTP statuses by which a proxy says that the server behind it cannot serve now. */
const TEMPORARY = [429, 502, 503, 504];

/** Whether a content type is that of an answer that can be read here. */
export function isGrpcWeb(contentType: string): boolean {
  return /^application\/grpc-web(\+proto)?(;|$)/i.test(contentType.trim());
}

/** The error for an answer of something that is no Flovyn server, or of a proxy before one. */
export async function foreignAnswer(call: WebCall, response: Response): Promise<FlovynError> {
  const { method, serverUrl } = call.facts;
  const got = `${headText(response)}${await excerpt(call, response)}`;
  const text = `Expected a gRPC-Web answer to ${method} from ${serverUrl}, got ${got}. ${advice(response)}`;
  if (response.status === 401 || response.status === 403) return new AuthenticationError(text);
  if (response.status === 413) return new RpcError('RESOURCE_EXHAUSTED', text, { method });
  if (TEMPORARY.includes(response.status) || !isServerFault(response.status)) return new ConnectionError(text, serverUrl);
  return new RpcError('INTERNAL', text, { method });
}

function isServerFault(status: number): boolean {
  return status >= 500;
}

function headText(response: Response): string {
  const contentType = response.headers.get('content-type') ?? 'no content type';
  return `HTTP ${response.status} (${contentType})`;
}

function advice(response: Response): string {
  const { status } = response;
  const contentType = response.headers.get('content-type') ?? '';
  if (/^application\/grpc(\+|;|$)/i.test(contentType)) {
    return 'That is a gRPC server that does not speak gRPC-Web: turn gRPC-Web on, or put a proxy that translates before it';
  }
  if (status === 401 || status === 403) return 'A proxy before the server refused the request: check the key and the headers';
  if (status === 413) return 'A proxy before the server takes no request of that size: send less or raise its limit';
  if (TEMPORARY.includes(status)) return 'The server behind that address does not serve now: try again later';
  if (status >= 500) return 'Look into the logs of the server and of proxies before it';
  return 'Check that serverUrl is the address of a Flovyn server, not of a web page or another service';
}

/** The beginning of a body, on one line, in quotes. An answer that breaks off shows what came. */
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
