import { stackOf, textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import type { ReportedLevel, TaskReports } from './reports.js';

/** A line is cut after this many characters. */
const LONGEST_LINE = 8_192;

/** A logger of a task: its lines go to `logger`, beginning with `prefix`, and to the server. */
export function taskLog(prefix: string, logger: Logger, reports: TaskReports): Logger {
  const at =
    (level: ReportedLevel): Logger['info'] =>
    (message, ...args) => {
      logger[level](prefix + message, ...args);
      reports.log(level, message, args);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** The text of a line that was logged with these arguments. */
export function logLine(message: string, args: readonly unknown[]): string {
  const text = [message, ...args.map(shown)].join(' ');
  return text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}...` : text;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return stackOf(value) || textOf(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return textOf(value);
  }
}
