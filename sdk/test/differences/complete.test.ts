import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { borders } from './borders.js';
import { callOptions, client, clientHandles, clientOptions } from './client.js';
import type { Observations } from './difference.js';
import { harness } from './harness.js';
import { publicNames } from './names.js';
import { engine, networkOptions, tls, transports } from './network.js';
import { taskConfig, taskContext } from './task.js';
import { taskReports } from './task-reports.js';
import { testing } from './testing.js';
import { values } from './values.js';
import { worker } from './worker.js';
import { workerControl } from './worker-control.js';
import { workerDrain } from './worker-drain.js';
import { handles, verbOptions, workflowConfig, workflowContext } from './workflow-context.js';

/** Every observation; the files beside this one make them. */
const observations: Observations[] = [
  borders,
  callOptions,
  client,
  clientHandles,
  clientOptions,
  engine,
  handles,
  harness,
  networkOptions,
  taskConfig,
  taskContext,
  taskReports,
  testing,
  tls,
  transports,
  values,
  verbOptions,
  worker,
  workerControl,
  workerDrain,
  workflowConfig,
  workflowContext,
];
const observed = new Set(observations.flatMap((part) => Object.keys(part)));

/** What programs give to the SDK, and is called by it: there is nothing to leave out. */
const GIVEN_BY_PROGRAMS = /^(Logger|Serializer|Transport|QueryContext|Standard\w+)\./;
/** What an interface says is observed there; programs do not make these themselves. */
const BEHIND_INTERFACES = /^(\w+ContextImpl|TaskContextParts|TaskReports|WorkflowHandleImpl|\w+Definition)\./;
/** Loading is what every test here begins with: see tests/conformance and tests/packaging. */
const LOADED = /^ready$/;
const OTHERWISE = [GIVEN_BY_PROGRAMS, BEHIND_INTERFACES, LOADED];

const folder = new URL('../../api/', import.meta.url);
const apiReports = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
const names = apiReports.map(publicNames);
const wanted = names
  .flatMap(({ functions, calls, options }) => [...functions, ...calls, ...options])
  .filter((name) => !OTHERWISE.some((reason) => reason.test(name)));

test('the names of functions, calls and options are found', () => {
  expect(wanted).toEqual(
    expect.arrayContaining(['saga', 'WorkflowContext.sleep', 'Duration.seconds', 'TaskOptions.queue']),
  );
});

test('each of them is shown to make a difference', () => {
  expect(wanted.filter((name) => !observed.has(name))).toEqual([]);
});

test('what is shown exists', () => {
  const known = [...wanted, ...names.flatMap(({ inherited }) => inherited)];
  expect([...observed].filter((name) => !known.includes(name))).toEqual([]);
});
