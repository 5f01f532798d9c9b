import { task } from '@flovyn/sdk';
import { same, thrownBy } from '../harness.mjs';
import { ms, pause, quickRetry, suite, tasks } from '../tools.mjs';

// What tasks tell while they run, and who hears it.

const narrator = task({
  name: 'narrator',
  run: async (ctx, words) => {
    for (const word of words) await ctx.streamToken(word);
    await ctx.streamProgress(0.5, 'half');
    await ctx.streamData({ words, at: new Date(0) });
    await ctx.streamError('odd', 'E1');
    ctx.log.info('told', words.length);
    return words.length;
  },
});

const reporting = task({
  name: 'reporting',
  run: (ctx) => ctx.reportProgress(0.75, 'nearly'),
});

const remembering = task({
  name: 'remembering',
  retry: quickRetry,
  run: async (ctx) => {
    const seen = await ctx.state.get('seen');
    await ctx.state.set('seen', [...(seen ?? []), ctx.attempt]);
    if (ctx.attempt < 3) throw new Error('again');
    const keys = await ctx.state.keys();
    await ctx.state.clear('seen');
    return [seen, keys, await ctx.state.get('seen')];
  },
});

const heard = task({
  name: 'heard',
  run: async (ctx) => {
    await ctx.streamToken('listen');
    // It goes on only when somebody has heard it.
    while (!suite.notesOf(ctx.taskExecutionId).includes('heard')) await pause(2);
    return 'heard';
  },
});

tasks.push(narrator, reporting, remembering, heard);

async function read(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

const told = ({ type, text, progress, details, data, message, code }) =>
  JSON.parse(JSON.stringify({ type, text, progress, details, data, message, code }));

const AT = new Date(0).toJSON();

suite.check('streams: every kind of event, in order, from the first on', {
  needs: 'extensions',
  run: (ctx) => ctx.task(narrator, ['Once', 'upon']),
  gives: 2,
  then: async ({ handle }) => {
    const events = await read(handle.stream());
    same(events.map(told), [
      { type: 'token', text: 'Once' },
      { type: 'token', text: 'upon' },
      { type: 'progress', progress: 0.5, details: 'half' },
      { type: 'data', data: { words: ['Once', 'upon'], at: AT } },
      { type: 'error', message: 'odd', code: 'E1' },
    ]);
    const rest = await read(handle.stream({ afterSequence: events[2].sequence }));
    same(rest.map(told), events.slice(3).map(told));
  },
});

suite.check('streams: are heard while the task runs', {
  needs: 'extensions',
  run: (ctx) => ctx.task(heard),
  gives: 'heard',
  act: async ({ handle }) => {
    for await (const event of handle.stream()) suite.note(event.taskExecutionId, 'heard');
  },
});

suite.check('streams: a thousand tokens of two tasks keep the order of each', {
  needs: 'extensions',
  run: (ctx) => {
    const words = (name) => Array.from({ length: 500 }, (_, index) => `${name}${index}`);
    return Promise.all(['a', 'b'].map((name) => ctx.task(narrator, words(name))));
  },
  gives: [500, 500],
  then: async ({ handle }) => {
    const events = await read(handle.stream());
    for (const name of ['a', 'b']) {
      const tokens = events.filter(({ text }) => text?.startsWith(name)).map(({ text }) => text);
      same(
        tokens,
        Array.from({ length: 500 }, (_, index) => `${name}${index}`),
      );
    }
  },
});

suite.check('streams: the progress of a task is told too', {
  needs: 'extensions',
  run: (ctx) => ctx.task(reporting),
  then: async ({ handle }) => {
    const events = await read(handle.stream());
    same(events.map(told), [{ type: 'progress', progress: 0.75, details: 'nearly' }]);
  },
});

suite.check('streams: the signal ends the reading', {
  needs: 'extensions',
  run: (ctx) => ctx.sleep(ms(100)),
  act: async ({ handle }) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 10);
    const error = await thrownBy(() => read(handle.stream({ signal: controller.signal })));
    same(error.message, 'enough');
  },
});

suite.check('streams: telling changes nothing on a server that knows no extensions', {
  run: (ctx) => ctx.task(narrator, ['a'], { timeout: ms(20_000) }),
  gives: 1,
});

suite.check('task state: survives attempts', {
  run: (ctx) => ctx.task(remembering),
  gives: [[1, 2], ['seen'], null],
});
