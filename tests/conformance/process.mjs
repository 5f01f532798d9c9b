import { runConformance } from './suite.mjs';

/** The adapter of runtimes that run a file and print: Node, Deno and Bun. The options of the client are the argument. */
const options = JSON.parse(process.argv[2]);
await runConformance(options, (outcome) => console.log(JSON.stringify(outcome)));
