/** Where the SDK and workflow code log to. `console` is one. */
export interface Logger {
  /** What helps to follow the SDK step by step. */
  debug(message: string, ...args: unknown[]): void;
  /** What happened in the ordinary course of things. */
  info(message: string, ...args: unknown[]): void;
  /** What somebody should look at some day. */
  warn(message: string, ...args: unknown[]): void;
  /** What somebody should look at now. */
  error(message: string, ...args: unknown[]): void;
}

/** Names of the levels, from the most talkative to silence. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/**
 * A logger that writes to the console what is at `level` or above, each line beginning with `[flovyn]`.
 * Default level: `warn`, so that a program's own output stays readable.
 */
export function consoleLogger(level: LogLevel = 'warn'): Logger {
  return atLevel(level, {
    debug: (message, ...args) => console.debug(`[flovyn] ${message}`, ...args),
    info: (message, ...args) => console.info(`[flovyn] ${message}`, ...args),
    warn: (message, ...args) => console.warn(`[flovyn] ${message}`, ...args),
    error: (message, ...args) => console.error(`[flovyn] ${message}`, ...args),
  });
}

/** A logger that hands on to `logger` only what is at `level` or above. */
export function atLevel(level: LogLevel, logger: Logger): Logger {
  const when = (at: LogLevel, write: Logger['info']): Logger['info'] => (reaches(level, at) ? write : drop);
  return {
    debug: when('debug', (message, ...args) => logger.debug(message, ...args)),
    info: when('info', (message, ...args) => logger.info(message, ...args)),
    warn: when('warn', (message, ...args) => logger.warn(message, ...args)),
    error: when('error', (message, ...args) => logger.error(message, ...args)),
  };
}

/**
 * Whether what is logged `at` a level is at `level` or above.
 * @internal
 */
export function reaches(level: LogLevel, at: LogLevel): boolean {
  return LEVELS.indexOf(at) >= LEVELS.indexOf(level);
}

/**
 * Whether this is the name of a level.
 * @internal
 */
export function isLogLevel(name: unknown): boolean {
  return LEVELS.includes(name as LogLevel);
}

/** A logger that drops everything. */
export const silentLogger: Logger = { debug: drop, info: drop, warn: drop, error: drop };

function drop(): void {}
