import type { Logger } from './logger.js';

/** A logger whose own errors do not reach those who log. */
export function harmless(logger: Logger): Logger {
  const at =
    (level: keyof Logger): Logger['info'] =>
    (message, ...args) => {
      try {
        logger[level](message, ...args);
      } catch {
        // There is nowhere left to say it.
      }
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
