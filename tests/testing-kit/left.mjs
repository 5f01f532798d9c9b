// A process that starts a server of its own and does not stop it, but ends: by itself, or by a signal.
import { TestHarness } from '@flovyn/sdk/testing';

const harness = new TestHarness();
await harness.start();
console.log(`port: ${harness.grpcPort}`);
if (process.argv[2] === 'SIGTERM') {
  process.kill(process.pid, 'SIGTERM');
  setInterval(() => {}, 1_000);
}
