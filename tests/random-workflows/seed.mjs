import { Chance, fractions } from './chance.mjs';
import { checkReplays } from './check.mjs';
import { randomProgram } from './program.mjs';
import { play } from './schedule.mjs';
import { World } from './world.mjs';

/**
 * One run: a workflow, and what happens to it.
 *
 * @param {{ program: number | number[], schedule: number | number[] }} source seeds, or what was drawn from them
 */
export async function runOnce(source) {
  const [programChance, scheduleChance] = [new Chance(source.program), new Chance(source.schedule)];
  const program = randomProgram(programChance);
  const world = new World(program, 1);
  // What the SDK draws by itself, such as the length of pauses, must be the same in every run too.
  Math.random = fractions(0);
  let failure;
  try {
    await play(world, scheduleChance);
    await checkReplays(world);
  } catch (error) {
    failure = error;
  } finally {
    world.close();
    // What ends only now must not meet the next run.
    await world.settled();
  }
  return {
    failure,
    program,
    steps: world.steps,
    counts: world.counts,
    drawn: { program: programChance.drawn, schedule: scheduleChance.drawn },
  };
}

/** The two seeds of a run from one. */
export function sourceOf(seed) {
  return { program: seed * 2, schedule: seed * 2 + 1 };
}
