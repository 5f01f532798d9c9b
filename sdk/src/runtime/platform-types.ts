// Public declarations name these instead of the globals, so that they also compile in projects that have neither the
// DOM library nor @types/node. Where the globals exist, these are the globals.

/** The runtime's `AbortSignal`. */
export type AbortSignal = typeof globalThis extends { AbortSignal: { prototype: infer Global } }
  ? Global
  : AbortSignalPart;

/** The runtime's `fetch`. */
export type Fetch = typeof globalThis extends { fetch: infer Global } ? Global : FetchPart;

/** What this package uses of an `AbortSignal`. */
export interface AbortSignalPart {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** What this package uses of `fetch`. */
export type FetchPart = (url: string, request: RequestPart) => Promise<ResponsePart>;

/** What this package gives to `fetch`. */
export interface RequestPart {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

/** What this package reads of the answer of `fetch`. */
export interface ResponsePart {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: {
    get(name: string): string | null;
    forEach(callback: (value: string, name: string) => void): void;
  };
  readonly body: {
    readonly locked: boolean;
    cancel(): Promise<void>;
    getReader(): {
      read(): Promise<{ done: false; value: Uint8Array } | { done: true; value?: Uint8Array | undefined }>;
      cancel(): Promise<void>;
    };
  } | null;
}
