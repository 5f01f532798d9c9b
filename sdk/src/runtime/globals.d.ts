// The globals that every runtime of this package has: Node, Deno, Bun, workerd and browsers. Portable code is compiled
// against these few lines and no other library, so that `process`, `Buffer`, `window` and `node:*` do not compile.
// Not emitted: consumers see the types of their own runtime.

interface EventListenerLike {
  (event: { readonly type: string }): void;
}

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: EventListenerLike, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: EventListenerLike): void;
}
declare var AbortSignal: {
  prototype: AbortSignal;
  abort(reason?: unknown): AbortSignal;
};

interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare var AbortController: { prototype: AbortController; new (): AbortController };

/** A number in browsers and workerd, an object in Node, Deno and Bun. */
type TimerId = number | { unref?(): unknown };
declare function setTimeout(callback: () => void, delayMs?: number): TimerId;
declare function clearTimeout(timer: TimerId | undefined): void;
declare function queueMicrotask(callback: () => void): void;

interface Console {
  debug(...data: unknown[]): void;
  info(...data: unknown[]): void;
  log(...data: unknown[]): void;
  warn(...data: unknown[]): void;
  error(...data: unknown[]): void;
}
declare var console: Console;

interface Performance {
  now(): number;
}
declare var performance: Performance;

interface Crypto {
  readonly subtle: { digest(algorithm: string, data: Uint8Array): Promise<ArrayBuffer> };
  getRandomValues<T extends Uint8Array>(array: T): T;
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
}
declare var crypto: Crypto;

interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}
declare var TextEncoder: { prototype: TextEncoder; new (): TextEncoder };

interface TextDecoder {
  decode(input?: Uint8Array, options?: { stream?: boolean }): string;
}
declare var TextDecoder: {
  prototype: TextDecoder;
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
};
declare function atob(base64: string): string;
declare function btoa(binary: string): string;

interface URL {
  readonly href: string;
  readonly origin: string;
  readonly protocol: string;
  readonly host: string;
  readonly username: string;
  readonly password: string;
  readonly search: string;
  readonly hash: string;
  pathname: string;
}
declare var URL: { prototype: URL; new (url: string | URL, base?: string | URL): URL };

interface Headers {
  append(name: string, value: string): void;
  get(name: string): string | null;
  has(name: string): boolean;
  set(name: string, value: string): void;
  forEach(callback: (value: string, name: string) => void): void;
}
declare var Headers: { prototype: Headers; new (init?: Record<string, string>): Headers };

interface ReadableStreamDefaultReader<R> {
  read(): Promise<{ done: false; value: R } | { done: true; value?: R | undefined }>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}
interface ReadableStream<R> {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(): ReadableStreamDefaultReader<R>;
  pipeThrough<T>(transform: {
    readonly readable: ReadableStream<T>;
    readonly writable: unknown;
  }): ReadableStream<T>;
}

interface RequestInit {
  method?: string;
  headers?: Headers | Record<string, string>;
  body?: Uint8Array | string;
  signal?: AbortSignal;
}
interface Response {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  arrayBuffer(): Promise<ArrayBuffer>;
  text(): Promise<string>;
}
declare var Response: { prototype: Response; new (body: ReadableStream<Uint8Array>): Response };
interface Blob {
  stream(): ReadableStream<Uint8Array>;
}
declare var Blob: { prototype: Blob; new (parts: Uint8Array<ArrayBuffer>[]): Blob };
interface DecompressionStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: unknown;
}
declare var DecompressionStream: {
  prototype: DecompressionStream;
  new (format: 'gzip'): DecompressionStream;
};
interface Request {
  readonly url: string;
}
type RequestInfo = Request | string;
type BufferSource = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
declare function fetch(input: string | URL, init?: RequestInit): Promise<Response>;

declare namespace WebAssembly {
  class Module {
    private constructor();
  }
  class Memory {
    private constructor();
  }
  class Table {
    private constructor();
  }
  class RuntimeError extends Error {}
}
interface ImportMeta {
  readonly url: string;
}

// What only some of the runtimes have; ask with `typeof` before use.
declare var setImmediate: ((callback: () => void) => unknown) | undefined;
declare var navigator: { readonly userAgent?: string } | undefined;
declare var document: object | undefined;
declare var importScripts: (() => void) | undefined;
interface MessageChannel {
  readonly port1: { onmessage: (() => void) | null };
  readonly port2: { postMessage(message: unknown): void };
}
declare var MessageChannel: { prototype: MessageChannel; new (): MessageChannel };

// What workerd and its bundlers make of an import of a wasm file.
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
