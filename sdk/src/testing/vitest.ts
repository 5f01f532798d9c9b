import type { ProvidedContext } from 'vitest';
import type { HarnessConfig } from './options.js';

// Without a mention of vitest the declaration below would not take effect in programs that import this module only.
export type { ProvidedContext } from 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the server is that the global setup has started: every `FlovynTestEnvironment` uses it. */
    harnessConfig: HarnessConfig;
  }
}

/**
 * The name under which a global setup of vitest provides the server that it has started. Importing this module also
 * tells the compiler what is provided.
 *
 * ```ts
 * import { TestHarness } from '@flovyn/sdk/testing';
 * import { HARNESS_CONFIG } from '@flovyn/sdk/testing/vitest';
 * import type { TestProject } from 'vitest/node';
 *
 * export default async function setup(project: TestProject) {
 *   const harness = new TestHarness();
 *   await harness.start();
 *   project.provide(HARNESS_CONFIG, harness.config);
 *   return () => harness.stop();
 * }
 * ```
 */
export const HARNESS_CONFIG = 'harnessConfig' satisfies keyof ProvidedContext;
