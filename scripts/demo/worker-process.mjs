import { startOrderWorker } from './worker.mjs';

/** A worker in a process of its own, which talks to a server over gRPC-Web. Its events are lines on standard output. */
const [options, ledgerFile] = process.argv.slice(2);
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const client = await startOrderWorker(JSON.parse(options), ledgerFile, tell);
tell({ ready: true });
process.once('SIGTERM', () => client.stop());
