/** A program as the code that a person would write for it. */
export function printProgram(program) {
  return Object.entries(program)
    .map(([name, block]) => `async function ${name}(ctx) {\n${printBlock(block, '  ')}}`)
    .join('\n');
}

function printBlock(block, indent) {
  return block.map((statement) => `${indent}${printStatement(statement, indent)}\n`).join('');
}

function printStatement(statement, indent) {
  const inner = (block) => (block.length === 0 ? '{}' : `{\n${printBlock(block, `${indent}  `)}${indent}}`);
  switch (statement.do) {
    case 'await':
      return `last = await ${printExpression(statement.of, indent)};`;
    case 'start':
      return `started.push(${printExpression(statement.of, indent)});`;
    case 'set':
      return `ctx.set('${statement.key}', last);`;
    case 'clear':
      return `ctx.clear('${statement.key}');`;
    case 'clearAll':
      return 'ctx.clearAll();';
    case 'cancel':
      return `started[${statement.started} % started.length]?.cancel?.();`;
    case 'if': {
      const end = statement.else.length > 0 ? ` else ${inner(statement.else)}` : '';
      return `if (${printCondition(statement.when)}) ${inner(statement.then)}${end}`;
    }
    case 'loop':
      return `for (let i = 0; i < ${statement.times}; i += 1) ${inner(statement.body)}`;
    case 'try': {
      const last = statement.finally.length > 0 ? ` finally ${inner(statement.finally)}` : '';
      return `try ${inner(statement.body)} catch ${inner(statement.catch)}${last}`;
    }
    case 'throw':
      return "throw new Error('thrown');";
    case 'return':
      return 'return last;';
    case 'isCancellationRequested':
      return 'last = ctx.isCancellationRequested;';
    case 'checkCancellation':
      return 'ctx.checkCancellation();';
    default: {
      const argument = statement.key ?? statement.signal ?? statement.patch;
      return `last = ctx.${statement.do}(${argument === undefined ? '' : `'${argument}'`});`;
    }
  }
}

function printCondition({ is, key, signal, patch }) {
  if (is === 'set') return `ctx.get('${key}') !== null`;
  if (is === 'signal') return `ctx.hasSignal('${signal}')`;
  if (is === 'patched') return `ctx.patched('${patch}')`;
  return 'isOdd(last)';
}

function printExpression(expression, indent) {
  const [[verb, value]] = Object.entries(expression);
  const { timeoutMs, name } = expression;
  const inner = (block) => (block.length === 0 ? '{}' : `{\n${printBlock(block, `${indent}  `)}${indent}}`);
  switch (verb) {
    case 'task':
      return `ctx.scheduleByName('${value}')`;
    case 'sleep':
      return `ctx.sleep(${value} ms)`;
    case 'promise':
      return `ctx.promise('${value}'${timeoutMs ? `, { timeout: ${timeoutMs} ms }` : ''})`;
    case 'run':
      return `ctx.run('${value}', ...)`;
    case 'signal':
      return `ctx.waitForSignal('${value}')`;
    case 'child':
      return `ctx.scheduleWorkflow(${value}${name ? `, { name: '${name}' }` : ''})`;
    case 'started':
      return `started[${value} % started.length]`;
    case 'branch':
      return `(async () => ${inner(value)})()`;
    case 'scope':
      return `ctx.scope(async (ctx) => ${inner(value)}${timeoutMs ? `, { timeout: ${timeoutMs} ms }` : ''})`;
    case 'nonCancellable':
      return `ctx.nonCancellable(async (ctx) => ${inner(value)})`;
    case 'withTimeout':
      return `ctx.withTimeout(${printExpression(value, indent)}, ${timeoutMs} ms)`;
    default:
      return `Promise.${verb}([${value.map((each) => printExpression(each, indent)).join(', ')}])`;
  }
}
