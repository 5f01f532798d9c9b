import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { green, red } from '../lib/paint.mjs';
import { processOrder } from '../../examples/order-processing/dist/workflows.js';
import { LedgerTail } from './ledger-tail.mjs';
import { story, table } from './story.mjs';

const READING_PAUSE_MS = 300;

const lamps = { id: 'order-1', customer: 'Ada', items: [{ sku: 'lamp', quantity: 2, priceCents: 4_950 }] };
const piano = { id: 'order-2', customer: 'Bob', items: [{ sku: 'piano', quantity: 1, priceCents: 799_900 }] };

const EFFECTS = {
  charge: 'the card is charged',
  refund: 'the money goes back',
  'reserve-stock': 'the goods are set aside',
  'release-stock': 'the goods go back to the shelf',
  'ask-for-approval': 'a person is asked to approve',
  ship: 'the parcel leaves',
};

/**
 * Plays two orders, one approved and one declined, and kills the worker at the moments given.
 *
 * @param {object} stage
 * @param {{ startWorkflow: Function, resolvePromise: Function }} stage.client
 * @param {(number: number, ledgerFile: string) => Promise<{ kill: () => Promise<void>, stop: () => Promise<void> }>} stage.startWorker
 * @param {{ step: string, type: 'attempt' | 'effect' }[]} stage.kills lines of the ledger on which the worker is killed
 * @param {string} stage.howKilled what a kill is, in words
 * @param {(executionId: string) => Promise<string[] | undefined>} stage.recordedTasks ids of the tasks whose result is in
 *   the history, if it can be read
 * @returns {Promise<boolean>} whether every step took effect exactly once
 */
export async function playOrders(stage) {
  const folder = mkdtempSync(join(tmpdir(), 'flovyn-demo-'));
  const ledgerFile = join(folder, 'ledger.jsonl');
  const workers = new Workers(stage, ledgerFile);
  const tail = new LedgerTail(ledgerFile, (line) => workers.follow(line));
  try {
    await workers.startNext();
    const executions = [
      await play(stage.client, tail, lamps, { approved: true, by: 'Grace' }),
      await play(stage.client, tail, piano, { approved: false, by: 'Grace', note: 'too expensive' }),
    ];
    await workers.settled();
    tail.close();
    const recorded = await Promise.all(executions.map((id) => stage.recordedTasks(id)));
    return judge(tail.lines, recorded.includes(undefined) ? undefined : recorded.flat());
  } finally {
    tail.close();
    await workers.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function play(client, tail, order, answer) {
  story.title(`${order.id}: ${order.items[0].quantity} × ${order.items[0].sku} for ${order.customer}`);
  const { handle } = await client.startWorkflow(processOrder, order);
  story.client(`starts process-order for ${order.id}`);

  const { result: request } = await tail.effect('ask-for-approval', order.id);
  await new Promise((resolve) => setTimeout(resolve, READING_PAUSE_MS));
  story.person(answer.approved ? `${answer.by} approves` : `${answer.by} declines: ${answer.note}`);
  await client.resolvePromise(request.promiseId, answer);

  story.result(await handle.result());
  return handle.workflowId;
}

/** The worker of the moment, and the one that follows when it is killed. */
class Workers {
  #stage;
  #ledgerFile;
  #number = 0;
  #current;
  #takeover = Promise.resolve();
  #kills;

  constructor(stage, ledgerFile) {
    this.#stage = stage;
    this.#ledgerFile = ledgerFile;
    this.#kills = [...stage.kills];
  }

  async startNext() {
    this.#number += 1;
    this.#current = await this.#stage.startWorker(this.#number, this.#ledgerFile);
    story.worker(this.#number, 'is ready');
  }

  follow(line) {
    if (line.type === 'attempt') story.worker(this.#number, `${line.step}, attempt ${line.attempt}`);
    else story.world(`${EFFECTS[line.step]} (${line.step}, attempt ${line.attempt})`);

    const [next] = this.#kills;
    if (next === undefined || next.step !== line.step || next.type !== line.type) return;
    this.#kills.shift();
    this.#takeover = this.#killAndReplace(line);
  }

  settled() {
    return this.#takeover;
  }

  async stop() {
    await this.#takeover;
    await this.#current?.stop();
  }

  async #killAndReplace(line) {
    const victim = this.#number;
    await this.#current.kill();
    const moment = line.type === 'attempt' ? 'before its effect' : 'after its effect, before the answer';
    story.killed(victim, `KILLED in the middle of ${line.step}, ${moment}: ${this.#stage.howKilled}`);
    await this.startNext();
    story.aside(
      'the claim of the dead worker runs out after its lease of 1 s; then the task is given to the living one',
    );
  }
}

/** Prints attempts and effects per step, and whether each step took effect exactly once. */
function judge(lines, recordedTasks) {
  story.title('What the ledger says');
  const keys = [...new Set(lines.map((line) => line.key))];
  const steps = keys.map((key) => {
    const ofKey = lines.filter((line) => line.key === key);
    const count = (type) => ofKey.filter((line) => line.type === type).length;
    const isRecorded = recordedTasks?.includes(key) ?? true;
    return {
      name: `${ofKey[0].orderId} ${ofKey[0].step}`,
      attempts: count('attempt'),
      effects: count('effect'),
      isRecorded,
    };
  });
  table([
    ['step', 'attempts', 'effects'],
    ...steps.map(({ name, attempts, effects }) => [name, attempts, effects]),
  ]);

  const wrong = steps.filter(({ effects, isRecorded }) => effects !== 1 || !isRecorded);
  const unknown = (recordedTasks ?? []).filter((key) => !keys.includes(key));
  const isRight = steps.length > 0 && wrong.length === 0 && unknown.length === 0;
  const retried = steps.filter(({ attempts }) => attempts > 1).length;
  const recorded = recordedTasks
    ? `each of the ${recordedTasks.length} recorded steps`
    : `each of the ${steps.length} steps`;
  console.log(
    isRight
      ? green(`\n  ${recorded} had exactly one effect; ${retried} of them took more than one attempt`)
      : red(`\n  not exactly one effect: ${[...wrong.map(({ name }) => name), ...unknown].join(', ')}`),
  );
  return isRight;
}
