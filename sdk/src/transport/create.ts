import { ConfigurationError, Unsupported } from '../errors.js';
import type { Carrier, Destination } from './carrier.js';
import { checkFetch, FetchCarrier } from './fetch-carrier.js';
import { GrpcCalls } from './grpc-calls.js';
import { checkRequestOptions } from './grpc-request.js';
import type { GrpcWebOptions } from './grpc-web.js';
import { checkTls, type TlsOptions } from './tls.js';
import type { Transport } from './transport.js';

/**
 * The ways to a server:
 *
 * - `fetch`: gRPC-Web over the runtime's `fetch`, or over one that is given. Works everywhere.
 * - `http`: gRPC-Web over `node:http` and `node:https`, with connections that are kept. Only in Node.
 * - `http2`: native gRPC over `node:http2`, in clear text or TLS, for Flovyn servers that speak no gRPC-Web. Only in Node.
 */
export type TransportKind = 'fetch' | 'http' | 'http2';

/** Options of `createTransport`. */
export interface TransportOptions extends GrpcWebOptions {
  /** Which way to take. Default: `fetch` where one is given and outside of Node, else `http`. */
  readonly transport?: TransportKind | undefined;
  /** How connections over TLS are made. Only with `http` and `http2`, and an address that begins with https. */
  readonly tls?: TlsOptions | undefined;
}

/** Makes the carriers that only Node has. */
export interface NodeCarriers {
  readonly http: (destination: Destination) => Carrier;
  readonly http2: (destination: Destination) => Carrier;
}

const KINDS: readonly string[] = ['fetch', 'http', 'http2'] satisfies TransportKind[];

let nodeCarriers: NodeCarriers | undefined;

/** What the entry for Node brings, which portable code cannot import. */
export function installNodeCarriers(carriers: NodeCarriers): void {
  nodeCarriers = carriers;
}

/**
 * The transport that a client with these options uses; made once, several clients can share it. Throws
 * `ConfigurationError` for options that cannot work and `Unsupported` for a transport that this runtime does not have.
 * Nothing is sent before the first call.
 */
export function createTransport(options: TransportOptions): Transport {
  const kind = checkTransportOptions(options);
  const serverUrl = checkRequestOptions(options);
  return new GrpcCalls(serverUrl, options, carrier(kind, { serverUrl, tls: options.tls }, options));
}

/** Throws as `createTransport` does; gives the kind to use. */
export function checkTransportOptions(options: TransportOptions): TransportKind {
  const { transport, fetch: injected, tls } = options;
  if (transport !== undefined && !isTransportKind(transport)) {
    throw new ConfigurationError(
      `transport must be one of ${KINDS.join(', ')} or an object with the calls of a Transport, got ${shown(transport)}`,
    );
  }
  if (injected !== undefined && transport !== undefined && transport !== 'fetch') {
    throw new ConfigurationError(
      `The option fetch has no effect with transport "${transport}": leave one out`,
    );
  }
  const kind = transport ?? (injected === undefined && nodeCarriers !== undefined ? 'http' : 'fetch');
  if (kind === 'fetch') checkFetch(injected);
  else if (nodeCarriers === undefined) throw onlyInNode(kind);
  if (tls !== undefined) checkTlsWith(tls, kind, options.serverUrl);
  checkRequestOptions(options);
  return kind;
}

function isTransportKind(transport: unknown): transport is TransportKind {
  return typeof transport === 'string' && KINDS.includes(transport);
}

function carrier(kind: TransportKind, destination: Destination, options: TransportOptions): Carrier {
  if (kind === 'fetch') return new FetchCarrier(options.fetch);
  if (nodeCarriers === undefined) throw onlyInNode(kind);
  return nodeCarriers[kind](destination);
}

function onlyInNode(kind: TransportKind): Unsupported {
  return new Unsupported(
    `transport "${kind}" needs node:${kind}, which only the entry of this package for Node brings: ` +
      'elsewhere use transport "fetch", the default there, and in Node import "@flovyn/sdk"',
  );
}

function checkTlsWith(tls: TlsOptions, kind: TransportKind, serverUrl: string): void {
  checkTls(tls);
  if (kind === 'fetch') {
    throw new ConfigurationError(
      'The option tls works with the transports "http" and "http2" of Node: what fetch trusts is set in the runtime',
    );
  }
  if (!/^https:/i.test(serverUrl)) {
    throw new ConfigurationError(
      `The option tls has an effect only with a serverUrl that begins with https, got "${serverUrl}"`,
    );
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value);
}
