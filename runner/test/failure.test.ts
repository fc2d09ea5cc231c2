import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { home, type Order, runTask } from './processes.ts';

/** How a task failed. It must have, and without a word about what is no business of its author. */
async function failureOf(source: string, order?: Order) {
  const { outcome, exitCode, stderr } = await runTask(source, order);
  assert.equal(outcome?.type, 'error', JSON.stringify(outcome));
  assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: '' });
  const { message, stack } = outcome as { message: string; stack: string };
  const said = `${message}\n${stack}`;
  for (const ours of [home, 'worker.mjs', 'page-title.mjs', 'capstan:', 'file:', 'node:internal']) {
    assert.ok(!said.includes(ours), `${ours} in ${said}`);
  }
  assert.doesNotMatch(stack, /^ +at .*node:/m);
  return { message, stack };
}

describe('an Error', () => {
  test('that is thrown has its message, and the lines of its TypeScript', async () => {
    const failure = await failureOf(`interface Order { id: number }

enum Kind { bad = 'bad' }
function check(order: Order): never {
  throw new TypeError(\`order \${order.id} is \${Kind.bad}\`);
}

export default async () => {
  check({ id: 7 });
};`);
    assert.deepEqual(failure, {
      message: 'TypeError: order 7 is bad',
      stack: [
        'TypeError: order 7 is bad',
        '    at check (page-title.ts:5:9)',
        '    at page_title_default (page-title.ts:9:3)',
      ].join('\n'),
    });
  });

  test('that is rejected with, too', async () => {
    const { message, stack } = await failureOf(`
export default async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  await Promise.reject(new Error('rejected'));
};`);
    assert.equal(message, 'Error: rejected');
    assert.match(stack, /^Error: rejected\n    at .*\(page-title\.ts:4:24\)$/);
  });

  test('of several lines keeps them', async () => {
    const { message } = await failureOf(`
      export default () => { throw new Error('one\\n  two'); };`);
    assert.equal(message, 'Error: one\n  two');
  });

  test('that names our folder does not tell where that is', async () => {
    const { message } = await failureOf(`
      export default () => { throw new Error('see ' + require.resolve('zod')); };`);
    assert.equal(message, 'Error: see node_modules/zod/index.cjs');
  });

  test('bears the name of the task that is run', async () => {
    const { stack } = await failureOf(`export default () => { throw new Error('x'); };`, {
      name: 'web-scraper_2',
    });
    assert.match(stack, /\(web-scraper_2\.ts:1:30\)$/);
  });

  test('brings its causes along', async () => {
    const { message, stack } = await failureOf(`
export default async () => {
  try {
    JSON.parse('{');
  } catch (cause) {
    throw new Error('no answer', { cause: new Error('no JSON', { cause }) });
  }
};`);
    assert.equal(message, 'Error: no answer');
    const [outer, middle, inner, ...others] = stack.split('\nCaused by: ');
    assert.match(outer!, /^Error: no answer\n    at .*page-title\.ts:6:11\)$/);
    assert.match(middle!, /^Error: no JSON\n    at .*page-title\.ts:6:43\)$/);
    assert.match(inner!, /^SyntaxError: .*\n    at JSON\.parse .*\n    at .*title\.ts:4:10\)$/);
    assert.deepEqual(others, []);
  });

  test('that stands for several brings the first along', async () => {
    const { stack } = await failureOf(`
export default () => Promise.any([Promise.reject(new Error('first')), Promise.reject(2)]);`);
    const [outer, inner] = stack.split('\nCaused by: ');
    assert.match(outer!, /^AggregateError: All promises were rejected/);
    assert.match(inner!, /^Error: first\n    at .*page-title\.ts:2:50\)$/);
  });

  test('that is its own cause ends', async () => {
    const { stack } = await failureOf(`
      const error = new Error('round');
      error.cause = error;
      export default () => { throw error; };`);
    assert.equal(stack.split('Caused by').length, 6);
  });

  test('of a request that nobody answers says so', async () => {
    const port = await closedPort();
    const { message, stack } = await failureOf(`
export default async () => {
  await fetch('http://127.0.0.1:${port}/');
};`);
    assert.equal(message, 'TypeError: fetch failed');
    assert.match(stack, new RegExp(`\nCaused by: Error: connect ECONNREFUSED 127.0.0.1:${port}`));
  });

  test("of Playwright's points to the line of the task that called it", async () => {
    const port = await closedPort();
    const { message, stack } = await failureOf(`
import { chromium } from 'playwright';
export default async () => {
  await chromium.connectOverCDP('ws://127.0.0.1:${port}/');
};`);
    assert.match(message, /connectOverCDP: .*ECONNREFUSED/);
    assert.match(stack, /page-title\.ts:4:18/);
  });

  test('is cut where it would go beyond 64 KiB, between two characters', async () => {
    const { message, stack } = await failureOf(`
      export default () => { throw new Error('é'.repeat(1e6)); };`);
    const [messageBytes, stackBytes] = [Buffer.byteLength(message), Buffer.byteLength(stack)];
    assert.ok(messageBytes + stackBytes <= 64 * 1024, `${messageBytes} + ${stackBytes}`);
    assert.match(message, /^Error: é{8000,}\n\.\.\. cut at 16384 bytes$/);
    assert.match(stack, /^Error: é{24000,}\n\.\.\. cut at 49152 bytes$/);
  });
});

describe('what is thrown and is no Error', () => {
  for (const [expression, message] of [
    ["'just text'", 'just text'],
    ["''", "Thrown, and not an Error: ''"],
    ['null', 'Thrown, and not an Error: null'],
    ['undefined', 'Thrown, and not an Error: undefined'],
    ['42n', 'Thrown, and not an Error: 42n'],
    ['{ code: 7, list: [1] }', 'Thrown, and not an Error: { code: 7, list: [ 1 ] }'],
  ]) {
    test(`is shown: ${expression}`, async () => {
      assert.deepEqual(await failureOf(`export default async () => { throw ${expression}; };`), {
        message,
        stack: '',
      });
    });
  }

  const trap = '{ get() { throw 1; } }';
  for (const [what, expression] of [
    ['a proxy that throws at every touch', `new Proxy({}, new Proxy({}, ${trap}))`],
    ['an Error whose message throws', `Object.defineProperty(new Error(), 'message', ${trap})`],
    ['an Error without a prototype', 'Object.setPrototypeOf(new Error(), null)'],
  ]) {
    test(`cannot break the worker: ${what}`, async () => {
      const { message } = await failureOf(`export default async () => { throw ${expression}; };`);
      assert.equal(message, 'Something was thrown that cannot be described.');
    });
  }
});

describe('a value that JSON cannot hold', () => {
  for (const [what, expression, reason] of [
    ['BigInt', '{ price: 1n }', 'TypeError: Do not know how to serialize a BigInt'],
    ['function', '() => 1', 'JSON.stringify gives nothing for this function.'],
    ['symbol', "Symbol('s')", 'JSON.stringify gives nothing for this symbol.'],
    ['nothing', '{ toJSON() {} }', 'JSON.stringify gives nothing for this object.'],
  ]) {
    test(`is a failure that says so: ${what}`, async () => {
      const { message } = await failureOf(`export default async () => (${expression});`);
      assert.equal(message, `TypeError: The returned value cannot be written as JSON: ${reason}`);
    });
  }

  test('such as a cycle is shown as the cycle that it is', async () => {
    const { message } = await failureOf(`
      const list: any = { items: [] };
      list.items.push(list);
      export default async () => list;`);
    assert.match(message, /^TypeError: The returned value cannot be written as JSON: TypeError: /);
    assert.match(message, /circular structure[^]*property 'items'/);
  });

  test('because its toJSON throws points to that line', async () => {
    const { message, stack } = await failureOf(`
export default async () => ({
  toJSON() {
    throw new Error('not now');
  },
});`);
    assert.equal(
      message,
      'TypeError: The returned value cannot be written as JSON: Error: not now',
    );
    assert.match(stack, /\nCaused by: Error: not now\n    at .*toJSON \(page-title\.ts:4:11\)/);
  });
});

describe('a module that does not load', () => {
  test('since its top level throws', async () => {
    const { message, stack } = await failureOf(`
const url = process.env.ANCHOR_URL;
if (!url) throw new Error('ANCHOR_URL is missing');
export default async () => url;`);
    assert.equal(message, 'Error: ANCHOR_URL is missing');
    assert.equal(stack, 'Error: ANCHOR_URL is missing\n    at <anonymous> (page-title.ts:3:17)');
  });

  test('since a package does not export what it imports', async () => {
    const { message, stack } = await failureOf(`// a line before
import { nonsense } from 'zod';
export default async () => nonsense;`);
    assert.equal(
      message,
      "SyntaxError: The requested module 'zod' does not provide an export named 'nonsense'",
    );
    assert.equal(stack, `${message}\n    at page-title.ts:2`);
  });

  test('since it asks for a module that it cannot have', async () => {
    const { message, stack } = await failureOf(`
const name = 'lod' + 'ash';
export default async () => {
  await import(name);
};`);
    assert.match(message, /^Error: Cannot import "lodash": a task is a single file and can /);
    assert.equal(stack, `${message}\n    at page_title_default (page-title.ts:4:16)`);
  });

  for (const value of ['1', '{ run() {} }', 'undefined']) {
    test(`since its default export is not a function: ${value}`, async () => {
      const { message } = await failureOf(`const it = ${value}; export default it;`);
      assert.equal(
        message,
        'TypeError: The default export of page-title.ts is not a function. ' +
          'Write: export default async () => { ... }',
      );
    });
  }
});

describe('an error that nobody waits for', () => {
  test('ends the run when it is thrown in a callback', async () => {
    const { message, stack } = await failureOf(`
export default () => new Promise(() => {
  setTimeout(() => { throw new Error('in a timer'); }, 1);
});`);
    assert.equal(message, 'Error: in a timer');
    assert.match(stack, /page-title\.ts:3:28/);
  });

  for (const [reason, message] of [
    ["new Error('unhandled')", 'Error: unhandled'],
    ["'text'", 'text'],
  ]) {
    test(`ends the run when it is an unhandled rejection with ${reason}`, async () => {
      const failure = await failureOf(`
export default () => new Promise(() => {
  Promise.reject(${reason});
});`);
      assert.equal(failure.message, message);
    });
  }
});

/** A loopback port that was free a moment ago, so that connecting to it is refused. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
