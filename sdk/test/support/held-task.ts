import { task } from '../../src/task/define.js';
import { workflow } from '../../src/workflow/define.js';
import { gate } from './world.js';

/**
 * A task that has begun when `begun` says so and goes on until `release` opens, also when its signal fires unless it is to
 * heed that; and a workflow that runs it once.
 */
export function heldTask({ heeds = false } = {}) {
  const [begun, release] = [gate(), gate<string>()];
  const slow = task({
    name: 'slow',
    run: async ({ signal }) => {
      begun.open();
      if (heeds) signal.addEventListener('abort', () => release.fail(signal.reason));
      return release.promise;
    },
  });
  const one = workflow({ name: 'one', run: (ctx) => ctx.task(slow) });
  return { slow, one, begun, release };
}
