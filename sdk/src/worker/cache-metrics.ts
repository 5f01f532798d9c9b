/** How large the cache may become. */
export interface ExecutionCacheLimits {
  /** Executions. 0 keeps none. */
  readonly maxCount: number;
  /** Bytes of all of them together, as the core and a flat rate for what JavaScript holds estimate it. */
  readonly maxBytes: number;
}

/** What a cache has done since its worker was made. */
export interface ExecutionCacheMetrics {
  /** Executions that went on where they had been left. */
  readonly hits: number;
  /** Executions that the server believed to be here and that had to be replayed. */
  readonly misses: number;
  /** Executions that went on elsewhere in between, so that what was kept could not be used. */
  readonly stale: number;
  /** Executions that were let go for want of room. */
  readonly evictions: number;
  /** Executions that are kept now. */
  readonly executions: number;
  /** About how many bytes they take. */
  readonly bytes: number;
}
