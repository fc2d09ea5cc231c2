// Task code that fails in all the ways that code can: each gets its answer, and the server is well.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { descendantsOf } from '../support/processes.ts';
import { eventually } from '../support/eventually.ts';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { assertWell, base64, deployTask, executionOf, runTask } from '../support/tasks.ts';

// What ends by itself has a minute; what never would is tried in timeouts.test.ts.
const config = quiet({ runs: { timeout: '60s', warm: 2 } });
const server = await startServer({ config });
after(() => server.stop());
afterEach(() => assertWell(server));

const limit = { timeout: 90_000 };

/** Runs code that must fail, checks all that tells of it, and returns its error. */
async function errorOf(name: string, code: string): Promise<string> {
  const task = await deployTask(server, name, code);
  const result = await runTask(server, name);
  assert.equal(result.success, false, 'it fails');
  assert.equal(result.message, 'Task execution failed');
  assert.equal(result.output, undefined);
  const execution = await executionOf(server, task, result.executionResultId);
  assert.equal(execution.status, 'failure');
  assert.equal(execution.output, null);
  assert.equal(execution.errorMessage, result.error);
  return result.error;
}

/** Sends code that must be refused when it is stored, and returns why. */
async function refusalOf(name: string, code: string): Promise<string> {
  const body = { name, language: 'typescript', code: base64(code) };
  const answer = await server.request('POST', '/v1/task', { body });
  assert.equal(answer.status, 400, answer.text);
  const { body: list } = await server.request('GET', `/v1/task?name=${name}`);
  assert.equal(list.data.total, 0, 'nothing is stored');
  return answer.body.error.message;
}

test('code that throws gets its message, with the line in TypeScript', limit, async () => {
  const code = `
    type Box<T> = { value: T };
    interface Removed { by: 'the compiler' }
    const open = <T>(box: Box<T>): T => {
      throw new RangeError('the box is locked');
    };
    export default async function task(): Promise<number> {
      return open<number>({ value: 1 });
    }`;
  const error = await errorOf('throws', code);
  assert.match(error, /^RangeError: the box is locked\n/);
  const places = [...error.matchAll(/throws\.ts:(\d+):(\d+)/g)].map(([, line]) => Number(line));
  assert.deepEqual(places, [5, 8]);
  assert.doesNotMatch(error, /node:|worker\.mjs|node_modules/, 'it shows nothing of ours');
});

test('code that throws while it is loaded', limit, async () => {
  const error = await errorOf('throws-early', '\nthrow new Error("too early");\nexport default 1;');
  assert.match(error, /^Error: too early\n[^]*throws-early\.ts:2:\d+/);
});

test('a promise that is rejected', limit, async () => {
  const code = 'export default async () => Promise.reject(new TypeError("no such luck"));';
  assert.match(await errorOf('rejects', code), /^TypeError: no such luck\n[^]*rejects\.ts:1:\d+/);
});

test('a promise that nobody waits for and that is rejected', limit, async () => {
  const code = `export default () => {
    Promise.reject(new Error('forgotten'));
    return new Promise(() => {});
  };`;
  assert.match(await errorOf('forgets', code), /^Error: forgotten\n[^]*forgets\.ts:2:\d+/);
});

test('what is thrown and is no Error', limit, async () => {
  const thrown = (value: string) => `export default async () => { throw ${value}; };`;
  assert.equal(await errorOf('throws-text', thrown('"a plain text"')), 'a plain text');
  assert.match(await errorOf('throws-object', thrown('{ code: 7 }')), /\{ code: 7 \}/);
  assert.match(await errorOf('throws-nothing', thrown('undefined')), /undefined/);
  const hostile = '{ get message() { throw 1; }, toString() { throw 2; } }';
  assert.notEqual(await errorOf('throws-hostile', thrown(hostile)), '');
});

test('the cause of an error is told too', limit, async () => {
  const code = 'export default async () => { await fetch("http://127.0.0.1:1/"); };';
  assert.match(await errorOf('fetches', code), /fetch failed[^]*Caused by/);
});

test('process.exit() before the code returned', limit, async () => {
  const ended = (how: string) => `the task's process ended (${how}) before it returned`;
  const exit = (how: string) =>
    `export default async () => { ${how}; await new Promise(() => {}); };`;
  assert.equal(await errorOf('exits', exit('process.exit(0)')), ended('exit code 0'));
  assert.equal(await errorOf('exits-badly', exit('process.exit(7)')), ended('exit code 7'));
  const killed = await errorOf('kills-itself', exit('process.kill(process.pid, "SIGKILL")'));
  assert.equal(killed, ended('signal 9 (Killed)'));
});

test('code that allocates until its heap ends', limit, async () => {
  const code = `export default () => {
    const kept: string[][] = [];
    while (true) kept.push(new Array(100_000).fill('x'));
  };`;
  assert.match(await errorOf('hoards', code), /^the task's process ended \(.+\) before it/);
});

test('code that closes its line to the server', limit, async () => {
  const code = `import { closeSync } from 'node:fs';
    export default async () => { closeSync(3); await new Promise(() => {}); };`;
  assert.notEqual(await errorOf('hangs-up', code), '');
});

test('code that writes into its line to the server', limit, async () => {
  const code = `import { writeSync } from 'node:fs';
    export default async () => {
      writeSync(3, '{"type":"result","output":7}\\n[]\\nnot JSON\\n');
      await new Promise(() => {});
    };`;
  await deployTask(server, 'forges', code);
  const result = await runTask(server, 'forges');
  assert.equal(result.output, undefined, 'an output is a text');
});

test('what is returned and JSON cannot hold', limit, async () => {
  const returned = (value: string) => `export default async () => ${value};`;
  const cycle = 'export default async () => { const a: any = {}; a.self = a; return a; };';
  assert.match(await errorOf('cycle', cycle), /JSON[^]*circular/i);
  assert.match(await errorOf('bigint', returned('7n')), /JSON[^]*BigInt/i);
  assert.match(await errorOf('function', returned('() => 1')), /JSON[^]*function/);
  assert.match(await errorOf('symbol', returned('Symbol("s")')), /JSON[^]*symbol/);
  const large = await errorOf('large', returned('"x".repeat(11 * 1024 * 1024)'));
  assert.match(large, /limit of 10485760 bytes/);
});

test('what is returned and JSON can hold', limit, async () => {
  const large = 'x'.repeat(10 * 1024 * 1024 - 2); // with its quotes, the longest output there is
  for (const [name, value, output] of [
    ['null', 'null', 'null'],
    ['text', '"a \\u{1F6A2} \\ud800"', '"a \u{1F6A2} \\ud800"'],
    ['large', '"x".repeat(10 * 1024 * 1024 - 2)', `"${large}"`],
    ['nothing', 'undefined', undefined],
  ] as [string, string, string | undefined][]) {
    await deployTask(server, `returns-${name}`, `export default async () => ${value};`);
    const path = `/v1/task/run/returns-${name}`;
    const { body } = await server.request('POST', path, { body: {} });
    assert.equal(body.data.success, true, body.data.error);
    assert.ok(body.data.output === output, `the output of ${name}`);
  }
});

test('code that prints 100 MB', limit, async () => {
  const code = `
    const line = 'x'.repeat(1_000_000 - 1);
    export default async () => {
      for (let count = 0; count < 100; ++count) console.log(line);
      return 'printed';
    };`;
  const task = await deployTask(server, 'prints', code);
  const result = await runTask(server, 'prints');
  assert.equal(result.output, 'printed', result.error);
  const path = `/v1/task/${task}/executions/${result.executionResultId}/logs`;
  const { body, text } = await server.request('GET', path);
  assert.equal(body.data.truncated, true);
  assert.ok(text.length > 500_000, `${text.length} bytes were kept`);
  assert.ok(text.length < 2_000_000, `${text.length} bytes were kept`);
});

test('code that leaves a child behind, which prints on and on', limit, async () => {
  const code = `
    import { spawn } from 'node:child_process';
    export default async () => {
      const child = spawn('yes', { stdio: 'inherit' });
      await new Promise((resolve) => child.once('spawn', resolve));
      return child.pid;
    };`;
  await deployTask(server, 'leaves-a-child', code);
  const { output: pid, error } = await runTask(server, 'leaves-a-child');
  assert.ok(Number.isInteger(pid), error);
  const isGone = () => descendantsOf(server.pid).every((each) => each.pid !== pid);
  await eventually('the child has ended', isGone, 5_000);
});

test('code with a syntax error is not stored', limit, async () => {
  const message = await refusalOf('syntax', 'export default async () => {\n  return 1 +;\n};');
  assert.match(message, /^code has an error in line 2, column 13: ./);
});

test('code without a default export is not stored', limit, async () => {
  assert.match(await refusalOf('no-default', 'export const task = 1;'), /default export/);
  assert.match(await refusalOf('empty', ''), /code|default export/);
});

test('a default export that is no function fails when it is run', limit, async () => {
  assert.match(await errorOf('a-number', 'export default 5;'), /is not a function/);
});

test('code that imports an unknown module is not stored', limit, async () => {
  const code = 'import pad from "left-pad";\nexport default () => pad("1", 2);';
  const message = await refusalOf('unknown', code);
  assert.match(message, /line 1, column \d+: .*"left-pad".*anchorbrowser, playwright/);
  assert.match(await refusalOf('beside', 'export { default } from "./other.ts";'), /other\.ts/);
  const late = 'export default () => import(["left", "pad"].join("-"));';
  assert.match(await errorOf('late', late), /left-pad/);
});
