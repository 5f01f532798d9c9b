import { runConformance } from './suite.mjs';

/** The adapter of workerd: a POST with the options of the client runs the suite and streams what it reports. */
export default {
  async fetch(request) {
    const options = await request.json();
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const report = (outcome) => void writer.write(new TextEncoder().encode(`${JSON.stringify(outcome)}\n`));
    runConformance(options, report)
      .catch((error) =>
        report({ name: 'the suite itself', ok: false, ms: 0, error: String(error?.stack ?? error) }),
      )
      .finally(() => writer.close());
    return new Response(readable);
  },
};
