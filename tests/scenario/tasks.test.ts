// Tasks themselves: what their names and code may be, creating as an upsert, renaming, deleting,
// and lists in pages.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { base64 } from '../support/tasks.ts';
import { check, nextMillisecond, play, type Scenario, unknownId } from './scenario.ts';

const server = await startServer({ config: quiet() });
after(() => server.stop());

const one = base64('export default async () => 1;\n');
const two = base64('export default async () => 2;\n');
const language = 'typescript';

const create = (body: object): Scenario => ({
  call: 'POST /v1/task',
  body: { language, ...body },
  status: 200,
});
const refusal = (body: object, says: string | RegExp, status = 400): Scenario => ({
  ...create(body),
  status,
  says,
});
const call = (method: string, rest = ''): string => `${method} /v1/task/{taskId}${rest}`;

test('a name is letters, digits, underscores and hyphens', async () => {
  const names = ['', ' ', 'a/b', '..', '.', 'a.b', 'a b', 'task%20', 'a\n', 'a\0', 'ä', 'a\u0308']
    .concat(['\u{1f600}', '\u202ea', '\u0430', 'x'.repeat(256), 'x'.repeat(10_000), '<b>', "'"])
    .concat(['a;b', 'a\\b', '${a}', 'a\u00a0', '\ufeffa']);
  await check(
    server,
    names.map((name) => refusal({ name, code: one }, 'name')),
  );
  const good = ['a', 'A', '0', '-', '_', '-a', 'a-b_c', 'x'.repeat(255), 'run', 'latest', 'draft'];
  await check(
    server,
    good.map((name) => create({ name })),
  );
  const listed = await play(server, { call: 'GET /v1/task', query: 'limit=100', status: 200 });
  const found = listed.body.data.tasks.map((task: { name: string }) => task.name);
  assert.deepEqual(found.toSorted(), good.toSorted(), 'names differ by their case');
});

test('code is base64 of UTF-8, and not empty', () =>
  check(
    server,
    Object.entries({
      'nothing': '',
      'not base64': '!!!!',
      'lines': `${one.slice(0, 4)}\n${one.slice(4)}`,
      'a line end behind it': `${one}\n`,
      'the alphabet for addresses': 'ZXhwb3J0-_==',
      'padding amid': `${one.slice(0, 4)}====${one.slice(4)}`,
      'too much padding': 'YQ===',
      'padding alone': '====',
      'a data URL': `data:text/plain;base64,${one}`,
      'plain text': 'export default async () => 1;',
      'no UTF-8': base64(Uint8Array.of(0x2f, 0x2f, 0xff, 0x0a)),
      'UTF-16': base64(Buffer.from('export default () => 1', 'utf16le')),
    }).map(([about, code]) => ({ ...refusal({ name: 'encoded', code }, 'code'), about })),
  ));

test('code is looked at when it is stored', () => {
  const row = (source: string, says: RegExp): Scenario =>
    refusal({ name: 'looked-at', code: base64(source) }, says);
  return check(server, [
    row('export default async () => {\n  return 1 +;\n};\n', /line 2, column 1\d/),
    row('export default async () => {', /line 1, column \d+/),
    row('const a = 1;\nconst a = 2;\nexport default () => a;\n', /line 2, column \d+/),
    row('async function run() { return 1; }\n', /default/),
    row('export const run = async () => 1;\n', /default/),
    row('// nothing at all\n', /default/),
    row("import a from 'left-pad';\nexport default () => a;\n", /left-pad.*playwright/s),
    row("import a from './other.ts';\nexport default () => a;\n", /\.\/other\.ts/),
    row("import a from '/etc/passwd';\nexport default () => a;\n", /\/etc\/passwd/),
    row("import a from 'https://a.example/a.js';\nexport default () => a;\n", /a\.example/),
    row('\u00e4\u00f6 = ;\nexport default () => 1;\n', /line 1, column \d/),
  ]);
});

test('code may be 1 MiB long, and no longer', async () => {
  const sized = (bytes: number): string => {
    const source = 'export default () => 1;\n';
    return base64(`${source}//${'x'.repeat(bytes - source.length - 2)}`);
  };
  await check(server, [refusal({ name: 'long', code: sized(1024 * 1024 + 1) }, /1048576|1 MiB/)]);
  await check(server, [create({ name: 'long', code: sized(1024 * 1024) })]);
  const body = { name: 'long', language, code: 'x'.repeat(50_000_000) };
  await check(server, [{ call: 'POST /v1/task', body, status: 413 }]);
});

test('code that TypeScript would complain of but that runs is taken as it was sent', async () => {
  const source = [
    "import Anchorbrowser from 'anchorbrowser';",
    "import { chromium } from 'playwright';",
    "import type { Page } from 'playwright-core';",
    "import { z } from 'zod';",
    "import fs, { readFile } from 'node:fs/promises';",
    "import path from 'path';",
    '// \u00fc \u{1f600}',
    'const wrong: number = "text";',
    'export default async function () { return wrong as unknown as Page; }',
    '',
  ].join('\r\n');
  const code = base64(source);
  const made = await play(server, create({ name: 'as-sent', code }));
  assert.equal(made.body.data.code, code);
});

test('creating a task of a known name changes that task', async () => {
  const first = await play(server, create({ name: 'upsert', code: one, description: 'first' }));
  const { id, createdAt } = first.body.data;
  const second = await play(server, create({ name: 'upsert', code: two }));
  assert.equal(second.body.data.id, id);
  assert.equal(second.body.data.createdAt, createdAt);
  assert.equal(second.body.data.code, two, 'its draft is the new code');
  assert.equal(second.body.data.description, 'first', 'what was not given stays');
  const third = await play(server, create({ name: 'upsert', description: 'third' }));
  assert.equal(third.body.data.code, two, 'without code the draft stays');
  assert.equal(third.body.data.description, 'third');
  const several = await Promise.all(
    Array.from({ length: 10 }, () => play(server, create({ name: 'at-once', code: one }))),
  );
  assert.equal(new Set(several.map(({ body }) => body.data.id)).size, 1, 'ten at once make one');
});

test('a description is up to 1000 bytes of any text', async () => {
  const at1000 = 'd'.repeat(1000);
  await check(server, [refusal({ name: 'described', description: `${at1000}d` }, 'description')]);
  for (const description of [at1000, '', 'ä\u{1f600}\u202e', '<script>', "'; drop table tasks;"]) {
    const made = await play(server, create({ name: 'described', description }));
    assert.equal(made.body.data.description, description);
  }
});

test('a task is renamed, unless the name is taken', async () => {
  const made = await play(server, create({ name: 'before', description: 'kept', code: one }));
  await play(server, create({ name: 'taken' }));
  const at = { taskId: made.body.data.id };
  const put = (body: object, status: number): Scenario => ({ call: call('PUT'), at, body, status });
  await check(server, [
    put({ name: 'taken' }, 409),
    put({ name: 'not good' }, 400),
    put({ description: 'd'.repeat(1001) }, 400),
  ]);
  const renamed = await play(server, put({ name: 'after' }, 200));
  assert.equal(renamed.body.data.name, 'after');
  assert.equal(renamed.body.data.description, 'kept');
  await check(server, [put({ name: 'after' }, 200), put({}, 200), put({ description: '' }, 200)]);
  const again = await play(server, create({ name: 'before' }));
  assert.notEqual(again.body.data.id, at.taskId, 'its old name is free');
  assert.equal(again.body.data.latestVersion, '', 'and means another task');
});

test('a deleted task is gone, and its name starts anew', async () => {
  const made = await play(server, create({ name: 'mortal', code: one }));
  const at = { taskId: made.body.data.id };
  await play(server, { call: call('POST', '/deploy'), at, body: {}, status: 200 });
  await play(server, { call: call('DELETE'), at, status: 200 });
  const gone = (method: string, rest = '', body?: object): Scenario => ({
    call: call(method, rest),
    at,
    ...(body === undefined ? {} : { body }),
    status: 404,
  });
  await check(server, [
    gone('GET'),
    gone('PUT', '', { name: 'back' }),
    gone('DELETE'),
    gone('GET', '/versions'),
    gone('GET', '/latest'),
    gone('GET', '/draft'),
    gone('POST', '/draft', { code: one }),
    gone('POST', '/deploy', { code: one }),
    gone('GET', '/1'),
    gone('POST', '/1', { code: one }),
    gone('DELETE', '/1'),
    gone('GET', '/executions'),
    { call: 'POST /v1/task/run', body: at, status: 404 },
    { call: 'POST /v1/task/run/mortal', body: {}, status: 404 },
  ]);
  const born = await play(server, create({ name: 'mortal', code: two }));
  assert.notEqual(born.body.data.id, at.taskId);
  assert.equal(born.body.data.latestVersion, 'draft');
  const deployed = await play(server, {
    call: call('POST', '/deploy'),
    at: { taskId: born.body.data.id },
    body: {},
    status: 200,
  });
  assert.equal(deployed.body.data.version, '1', "numbers are the task's own");
});

test('pages of a list show each task once, newest first', async () => {
  const key = await server.createKey('pages');
  const names = Array.from({ length: 25 }, (_, i) => `page-${i}`);
  for (const name of names) {
    await play(server, { ...create({ name }), key });
    nextMillisecond();
  }
  const list = async (query: string): Promise<{ tasks: { name: string }[]; total: number }> =>
    (await play(server, { call: 'GET /v1/task', key, query, status: 200 })).body.data;
  const seen: string[] = [];
  for (let page = 1; page <= 5; ++page) {
    const { tasks, total } = await list(`limit=7&page=${page}`);
    assert.equal(total, names.length);
    seen.push(...tasks.map(({ name }) => name));
  }
  assert.deepEqual(seen, names.toReversed());
  assert.equal((await list('')).tasks.length, 10, 'ten unless asked otherwise');
  assert.equal((await list('limit=100')).tasks.length, names.length);
  assert.deepEqual((await list('limit=100&page=1000000000')).tasks, []);
  assert.deepEqual(
    (await list('name=page-7')).tasks.map(({ name }) => name),
    ['page-7'],
  );
  assert.equal((await list('name=page')).total, 0, 'a name is the whole name');
});

test('teams have their tasks to themselves, also those of one name', async () => {
  const key = await server.createKey('neighbours');
  const ours = await play(server, create({ name: 'shared', code: one }));
  const theirs = await play(server, { ...create({ name: 'shared', code: two }), key });
  assert.notEqual(theirs.body.data.id, ours.body.data.id);
  assert.notEqual(theirs.body.data.teamId, ours.body.data.teamId);
  const at = { taskId: theirs.body.data.id };
  await check(server, [
    { call: call('GET'), at, status: 404 },
    { call: call('DELETE'), at, status: 404 },
    { call: call('GET'), at: { taskId: unknownId }, status: 404 },
  ]);
  await check(server, [{ call: call('GET'), at, key, status: 200 }]);
});

test('a list brings code up to a bound, and every task', async () => {
  const key = await server.createKey('authors of long tasks');
  const long = base64(`export default () => 1; // ${'x'.repeat(1_000_000)}\n`);
  const count = 9; // at 1.33 MB each, seven have less than 10 MiB
  for (let number = 0; number < count; ++number) {
    const name = `long-${number}`;
    const body = { language, name, code: long };
    assert.equal((await server.request('POST', '/v1/task', { key, body })).status, 200);
    nextMillisecond();
  }
  const { body } = await server.request('GET', '/v1/task?limit=100', { key });
  const tasks: { name: string; code: string; codeOmitted?: true }[] = body.data.tasks;
  assert.equal(tasks.length, count);
  const told = tasks.map(({ code, codeOmitted }) => [code, codeOmitted]);
  assert.deepEqual(told.slice(7), [
    ['', true],
    ['', true],
  ]);
  assert.ok(told.slice(0, 7).every(([code, omitted]) => code === long && omitted === undefined));
});
