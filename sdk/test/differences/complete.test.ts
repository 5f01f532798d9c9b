import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { borders } from './borders.js';
import { callOptions, client, clientHandles, clientOptions } from './client.js';
import type { Observations } from './difference.js';
import { harness } from './harness.js';
import { mockWorkflow } from './mock-workflow.js';
import { publicNames } from './names.js';
import { engine, networkOptions, tls, transports } from './network.js';
import { taskConfig, taskContext } from './task.js';
import { taskReports } from './task-reports.js';
import { testing } from './testing.js';
import { values } from './values.js';
import { worker } from './worker.js';
import { workerControl } from './worker-control.js';
import { workerDrain } from './worker-drain.js';
import { handles, queryContext, verbOptions, workflowConfig, workflowContext } from './workflow-context.js';

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
  mockWorkflow,
  networkOptions,
  queryContext,
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

/** What programs make and the SDK calls: there is nothing to leave out. */
const MADE_BY_PROGRAMS = /^(Logger\.\w+|Serializer\.\w+|Transport\.(unary|serverStream|close))$/;
/** A type without a value. */
const ONLY_TYPES = /^StandardSchemaProps\.types$/;
/** What a definition has of its config, where it is shown. */
const OF_CONFIGS = /^(Task|Workflow)Definition\./;
/** Only workers and mocks make these: what they do is shown where a context uses them. */
const INSIDE = /^TaskReports\./;
const OTHERWISE = [MADE_BY_PROGRAMS, ONLY_TYPES, OF_CONFIGS, INSIDE];

/** What a class does is shown under the name of the interface that it implements. */
const ofInterface = (name: string): string => name.replace(/^(\w+)Impl\./, '$1.');

const folder = new URL('../../api/', import.meta.url);
const apiReports = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
const names = apiReports.map(publicNames);
const wanted = names
  .flatMap(({ functions, calls, options }) => [...functions, ...calls, ...options])
  .map(ofInterface)
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
