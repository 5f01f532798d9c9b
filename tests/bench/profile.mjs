import { readFile } from 'node:fs/promises';

/** Prints the five functions with the most self time of a V8 .cpuprofile. */
const [file] = process.argv.slice(2);
if (!file) throw new Error('usage: node tests/bench/profile.mjs FILE.cpuprofile');
const { nodes, samples } = JSON.parse(await readFile(file, 'utf8'));
const frames = new Map(nodes.map((node) => [node.id, node.callFrame]));
const costs = new Map();
for (const sample of samples) {
  const { functionName, url, lineNumber } = frames.get(sample);
  const name = `${functionName || '(anonymous)'} ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
  costs.set(name, (costs.get(name) ?? 0) + 1);
}
const busy = samples.length - (costs.get('(idle) :0') ?? 0);
costs.delete('(idle) :0');
const largest = [...costs].sort(([, a], [, b]) => b - a).slice(0, 5);
for (const [name, count] of largest)
  console.log(`${((100 * count) / busy).toFixed(1).padStart(5)} %  ${name}`);
