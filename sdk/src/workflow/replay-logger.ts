import { isReplaying } from '../core.js';
import type { Logger } from '../logger.js';
import type { ContextParts } from './context-parts.js';

/**
 * A logger for workflow code: says which execution it is, and is silent while the code does what it did
 * before.
 */
export function replayAwareLogger(
  parts: Pick<ContextParts, 'activation' | 'definition' | 'turn' | 'logger'>,
): Logger {
  const { activation, definition, turn, logger } = parts;
  const { id, info } = activation;
  const prefix = `workflow ${definition.name} ${info.executionId}: `;
  // A function that was left behind by its activation says nothing new: another one says it again.
  const isNews = (): boolean => turn.isLive && !isReplaying(id);
  return {
    debug: (message, ...args) => void (isNews() && logger.debug(prefix + message, ...args)),
    info: (message, ...args) => void (isNews() && logger.info(prefix + message, ...args)),
    warn: (message, ...args) => void (isNews() && logger.warn(prefix + message, ...args)),
    error: (message, ...args) => void (isNews() && logger.error(prefix + message, ...args)),
  };
}
