import { encodeText, type PayloadCodec } from '../codec.js';
import { type ClaimedTask, encodeLogMessage, encodeReportProgress, encodeStreamTaskData } from '../core.js';
import { type LogLevel, reaches } from '../logger.js';
import { Method } from '../rpc/methods.js';
import type { Clock } from '../runtime/clock.js';
import { pause } from '../runtime/pause.js';
import type { Serializer } from '../serde.js';
import type { ReportedLevel, TaskReports } from '../task/reports.js';
import type { InternalStreamEvent, StreamEvent, StreamEventType } from '../task/stream-events.js';
import { logLine } from '../task/task-log.js';
import { ReportChannel, type ReportChannelParts } from './report-channel.js';
import type { ReportCounters } from './report-counters.js';
import { sizeOfEvent, streamPayload, type WrittenEvent, writtenEvent } from './stream-payload.js';
import type { TaskClaim } from './task-claim.js';

/** What the reports of an attempt are made of. */
export interface AttemptReportsParts {
  readonly task: ClaimedTask;
  readonly claim: TaskClaim;
  /** Whether the server takes several in one call. */
  readonly isExtended: () => boolean;
  readonly serializer: Serializer;
  readonly codec: PayloadCodec | undefined;
  /** What is below it is not sent. */
  readonly logLevel: LogLevel;
  readonly counters: ReportCounters;
  readonly clock: Clock;
}

/** The last reports have this long, before the end of the attempt is reported without them. */
const FLUSH_MS = 2_000;
/** A worker that stops has less time for each attempt. */
const HASTY_FLUSH_MS = 500;

const EVENT_NUMBERS: Readonly<Record<StreamEventType, number>> = { token: 1, progress: 2, data: 3, error: 4 };

interface Progress {
  readonly progress: number;
  readonly details: string | undefined;
}

interface Streamed {
  readonly sequence: number;
  readonly event: WrittenEvent;
  readonly timestampMs: number;
}

interface LogMessage {
  readonly level: ReportedLevel;
  readonly message: string;
}

/** What one attempt tells the server while it runs. What it does not use costs nothing. */
export class AttemptReports implements TaskReports {
  readonly #parts: AttemptReportsParts;
  #progress: ReportChannel<Progress> | undefined;
  #events: ReportChannel<Streamed> | undefined;
  #log: ReportChannel<LogMessage> | undefined;
  #sequence = 0;
  #isClosed = false;

  constructor(parts: AttemptReportsParts) {
    this.#parts = parts;
  }

  progress(progress: number, details: string | undefined): void {
    if (this.#isClosed) return;
    this.#progress ??= this.#channel<Progress>({
      kind: 'progressReports',
      send: (reports) => this.#sendProgress(reports),
      sizeOf: ({ details: text = '' }) => text.length,
      onlyNewest: true,
    });
    this.#progress.push({ progress, details });
  }

  async stream(event: StreamEvent): Promise<void> {
    const written = writtenEvent(event, this.#parts.serializer);
    if (this.#isClosed) return;
    this.#events ??= this.#channel<Streamed>({
      kind: 'streamEvents',
      send: (events) => this.#sendEvents(events),
      sizeOf: (streamed) => sizeOfEvent(streamed.event),
    });
    this.#sequence += 1;
    const timestampMs = this.#parts.clock.nowMs();
    this.#events.push({ sequence: this.#sequence, event: written, timestampMs });
    await this.#events.room();
  }

  log(level: ReportedLevel, message: string, args: readonly unknown[]): void {
    if (this.#isClosed || !reaches(this.#parts.logLevel, level)) return;
    this.#log ??= this.#channel<LogMessage>({
      kind: 'logMessages',
      send: (messages) => this.#sendLog(messages),
      sizeOf: (line) => line.message.length,
    });
    this.#log.push({ level, message: logLine(message, args) });
  }

  /** Sends what is left, for a short time, and nothing that comes later. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const channels = [this.#progress, this.#events, this.#log].filter((channel) => channel !== undefined);
    if (channels.length === 0) return;
    if (!this.#parts.claim.isOver) await this.#flush(channels);
    const why = this.#parts.claim.isOver ? undefined : 'the attempt ended before they were sent';
    for (const channel of channels) channel.close(why);
  }

  async #flush(channels: readonly { flush(): Promise<void> }[]): Promise<void> {
    const { claim, clock } = this.#parts;
    const over = new AbortController();
    const limitMs = claim.stop.reason === undefined ? FLUSH_MS : HASTY_FLUSH_MS;
    const flushed = Promise.all(channels.map((channel) => channel.flush()));
    await Promise.race([flushed, pause(clock, limitMs, over.signal)]);
    over.abort();
  }

  #channel<Item>(
    parts: Pick<ReportChannelParts<Item>, 'kind' | 'send' | 'sizeOf' | 'onlyNewest'>,
  ): ReportChannel<Item> {
    const { isExtended, counters, clock } = this.#parts;
    return new ReportChannel({ ...parts, inBatches: isExtended, counters, clock });
  }

  async #sendProgress(reports: readonly Progress[]): Promise<void> {
    const { task, claim, codec } = this.#parts;
    const { taskExecutionId } = task;
    for (const { progress, details } of reports) {
      const text = details === undefined ? undefined : await encodeText(codec, details);
      const request = encodeReportProgress({ taskExecutionId, progress, details: text });
      await claim.tell(Method.ReportProgress, request);
    }
  }

  async #sendEvents(events: readonly Streamed[]): Promise<void> {
    const { task, claim, codec } = this.#parts;
    const encoded: InternalStreamEvent[] = [];
    for (const { sequence, event, timestampMs } of events)
      encoded.push({ sequence, type: event.type, payload: await streamPayload(event, codec), timestampMs });
    const [first, ...more] = encoded.map(({ type, payload, ...others }) => ({
      ...others,
      type: EVENT_NUMBERS[type],
      payloadJson: payload,
    }));
    if (first === undefined) return;
    const { taskExecutionId, workflowExecutionId } = task;
    const request = encodeStreamTaskData({ taskExecutionId, workflowExecutionId, ...first, more });
    await claim.tell(Method.StreamTaskData, request);
  }

  async #sendLog(messages: readonly LogMessage[]): Promise<void> {
    const { task, claim, codec } = this.#parts;
    const { taskExecutionId } = task;
    const encoded: { level: string; message: string }[] = [];
    for (const { level, message } of messages)
      encoded.push({ level: level.toUpperCase(), message: await encodeText(codec, message) });
    const [first, ...more] = encoded;
    if (first === undefined) return;
    await claim.tell(Method.LogMessage, encodeLogMessage({ taskExecutionId, ...first, more }));
  }
}
