// What a run may be asked with: inputs, a version, a session, a configuration; by name and by id.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { endSession, openSession, sessionHasEnded, statusOf } from '../support/sessions.ts';
import { quiet } from '../support/settings.ts';
import {
  base64,
  beginRun,
  deployTask,
  endStates,
  type Execution,
  executionIn,
  executionOf,
  outputOf,
} from '../support/tasks.ts';
import { check, endOf, play, type Scenario, unknownId } from './scenario.ts';

/** Returns what it was given in its environment under our prefix. */
const echo = `export default async () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('ANCHOR_')));
`;

const server = await startServer({ config: quiet({ runs: { warm: 1 } }) });
after(() => server.stop());
const taskId = await deployTask(server, 'echo', echo);

const byName = 'POST /v1/task/run/{taskName}';
const at = { taskName: 'echo' };
const row = (body: object, status: number, says?: string | RegExp): Scenario => ({
  call: byName,
  at,
  body,
  status,
  ...(says === undefined ? {} : { says }),
});
const input = (name: string, value: unknown, says: string | RegExp = name): Scenario => ({
  ...row({ inputs: { [name]: value } }, 400, says),
  about: name.slice(0, 40),
});

/** Runs it and gives the object that it returned. */
async function run(body: object): Promise<Record<string, string>> {
  const answer = await play(server, row(body, 200));
  assert.equal(answer.body.data.success, true, answer.text);
  return JSON.parse(answer.body.data.output);
}

test('inputs have names with our prefix, and nothing else may be set', () =>
  check(server, [
    input('NODE_OPTIONS', '--inspect'),
    input('PATH', '/tmp'),
    input('LD_PRELOAD', '/tmp/a.so'),
    input('anchor_x', '1'),
    input('Anchor_X', '1'),
    input('XANCHOR_X', '1'),
    input('ANCHORBROWSER_BASE_URL', 'http://127.0.0.1:1'),
    input('ANCHOR_', '1'),
    input('ANCHOR', '1'),
    input('ANCHOR_A-B', '1'),
    input('ANCHOR_A=B', '1'),
    input('ANCHOR_A B', '1'),
    input('ANCHOR_\u00c4', '1', 'ANCHOR_'),
    input('ANCHOR_\0', '1', 'ANCHOR_'),
    input('ANCHOR_A\n', '1', 'ANCHOR_A'),
    input('', '1', 'inputs'),
    input('__proto__', '1', 'inputs'),
    input(`ANCHOR_${'A'.repeat(1024 * 1024)}`, '1', 'ANCHOR_'),
  ]));

test('inputs are texts without NUL, bounded each and together', () => {
  const many = (count: number, value: string): object =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`ANCHOR_${i}`, value]));
  return check(server, [
    ...[null, true, 1, 0.5, [], {}, ['a']].map((value) => input('ANCHOR_A', value)),
    input('ANCHOR_A', 'a\0b'),
    input('ANCHOR_A', 'x'.repeat(64 * 1024 + 1)),
    input('ANCHOR_A', 'ä'.repeat(32 * 1024 + 1)),
    input('ANCHOR_A', 'x'.repeat(1024 * 1024)),
    row({ inputs: many(101, '1') }, 400, 'inputs'),
    row({ inputs: many(10_000, '1') }, 400, 'inputs'),
    row({ inputs: many(5, 'x'.repeat(60_000)) }, 400, 'inputs'),
    row({ inputs: { ANCHOR_A: 1, B: 'b' } }, 400, /ANCHOR_A.*"B"|"B".*ANCHOR_A/),
  ]);
});

test('inputs reach the code as they were sent', async () => {
  const values = {
    ANCHOR_EMPTY: '',
    ANCHOR_lower_1: 'a',
    ANCHOR__: '_',
    ANCHOR_9: '9',
    ANCHOR_LINES: 'a\nb\r\n\tc',
    ANCHOR_QUOTES: `"'\\$HOME \`id\``,
    ANCHOR_UNICODE: 'ä\u{1f600}\u202e',
    ANCHOR_LONG: 'x'.repeat(64 * 1024),
    ANCHOR_API_KEY: 'my own',
  };
  const seen = await run({ inputs: values });
  const { ANCHOR_SESSION_ID, ...others } = seen;
  assert.deepEqual(others, values);
  assert.match(ANCHOR_SESSION_ID ?? '', /^[0-9a-f-]{36}$/);
  const hundred = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`ANCHOR_${i}`, '1']));
  assert.equal(Object.keys(await run({ inputs: hundred })).length, 102);
  const given = await run({ inputs: { ANCHOR_SESSION_ID: 'mine' } });
  assert.equal(given['ANCHOR_SESSION_ID'], 'mine', 'an input wins over what the server sets');
});

test("one run's inputs are not another's", async () => {
  const runs = await Promise.all(
    Array.from({ length: 6 }, (_, i) => run({ inputs: { [`ANCHOR_OWN_${i}`]: `${i}` } })),
  );
  for (const [i, seen] of runs.entries()) {
    const own = Object.keys(seen).filter((name) => name.startsWith('ANCHOR_OWN_'));
    assert.deepEqual(own, [`ANCHOR_OWN_${i}`]);
  }
  assert.equal(new Set(runs.map((seen) => seen['ANCHOR_SESSION_ID'])).size, runs.length);
});

test('a version is one that is there', async () => {
  await play(server, {
    call: 'POST /v1/task/{taskId}/deploy',
    at: { taskId },
    body: { code: base64('export default async () => "second";\n') },
    status: 200,
  });
  const deleted = { taskId, taskVersion: '2' };
  const outputOf = async (version?: string): Promise<string> =>
    (await play(server, row(version === undefined ? {} : { version }, 200))).body.data.output;
  assert.equal(await outputOf(), '"second"');
  assert.equal(await outputOf('latest'), '"second"');
  assert.notEqual(await outputOf('1'), '"second"');
  assert.notEqual(await outputOf('draft'), '"second"');
  await play(server, { call: 'DELETE /v1/task/{taskId}/{taskVersion}', at: deleted, status: 200 });

  const versions: [unknown, number][] = [
    ['2', 404],
    ['99999', 404],
    ['0', 400],
    ['-1', 400],
    ['01', 400],
    ['1.0', 400],
    ['Latest', 400],
    ['', 400],
    [' 1', 400],
    ['9223372036854775808', 400],
    [1, 400],
    [null, 400],
  ];
  const rows = versions.map(([version, status]) => row({ version }, status, 'version'));
  await check(server, [
    ...rows,
    ...rows.map((each) => ({
      ...each,
      call: 'POST /v1/task/run',
      body: { ...(each.body as object), taskId },
    })),
  ]);
});

test('a task is one that is there', () => {
  const named = (taskName: string, status: number): Scenario => ({
    call: byName,
    at: { taskName },
    body: {},
    status,
  });
  const numbered = (id: unknown, status: number): Scenario => ({
    call: 'POST /v1/task/run',
    body: { taskId: id },
    status,
  });
  return check(server, [
    named('nobody', 404),
    named('Echo', 404),
    named('echo%20', 400),
    named('a.b', 400),
    named('a%2Fb', 404), // no path has a slash within a segment
    named('%F0%9F%98%80', 400),
    named('x'.repeat(256), 400),
    named('x'.repeat(10_000), 414),
    named(taskId, 404),
    numbered(unknownId, 404),
    numbered('echo', 400),
    numbered(taskId.toUpperCase().slice(1), 400),
    numbered(`${taskId} `, 400),
  ]);
});

test("a session is one of the team's that is running", async () => {
  const key = await server.createKey('other');
  const theirs = (await openSession(server, { key })).id;
  const ended = (await openSession(server)).id;
  await endSession(server, ended);
  await check(server, [
    row({ sessionId: theirs }, 404),
    row({ sessionId: ended }, 404),
    row({ sessionId: unknownId }, 404),
    row({ sessionId: 'no' }, 400, 'sessionId'),
    row({ sessionId: '' }, 400, 'sessionId'),
    row({ sessionId: `${ended} ` }, 400, 'sessionId'),
  ]);
  await endSession(server, theirs, { key });
});

test('a session that was handed in outlives the run, unless it is asked not to', async () => {
  const given = (await openSession(server)).id;
  const seen = await run({ sessionId: given, version: '1' });
  assert.equal(seen['ANCHOR_SESSION_ID'], given);
  assert.equal(await statusOf(server, given), 'running');
  await run({ sessionId: given, version: '1', cleanupSessions: false });
  assert.equal(await statusOf(server, given), 'running');
  await run({ sessionId: given, version: '1', cleanupSessions: true });
  assert.equal(await sessionHasEnded(server, given), 'completed');
});

test('a configuration is looked at before anything runs', () => {
  const override = (overrideBrowserConfiguration: object, says: string): Scenario =>
    row({ overrideBrowserConfiguration }, 400, `overrideBrowserConfiguration.${says}`);
  return check(server, [
    override({ timeout: { max_duration: 0 } }, 'timeout.max_duration'),
    override({ initial_url: 'javascript:1' }, 'initial_url'),
    override({ proxy: { active: 1 } }, 'proxy.active'),
    override({ headless: { active: 'yes' } }, 'headless.active'),
    override({ viewport: { width: 1 } }, 'viewport.width'),
  ]);
});

test('everything that is wrong is told at once', () =>
  check(server, [
    row(
      { async: 'yes', cleanupSessions: 1, version: 2, sessionId: [], inputs: { A: 1 } },
      400,
      /(?=.*async)(?=.*cleanupSessions)(?=.*version)(?=.*sessionId)(?=.*inputs)/,
    ),
  ]));

test('who does not wait finds the result later', async () => {
  const started = await play(server, row({ async: true, version: '1' }, 200));
  const { executionResultId } = started.body.data;
  const execution = await endOf(server, taskId, executionResultId);
  assert.equal(execution.id, executionResultId);
  assert.equal(execution.status, 'success');
  const call = 'GET /v1/task/{taskId}/executions/{executionId}';
  const at = { taskId, executionId: executionResultId };
  const found = await play(server, { call, at, status: 200 });
  assert.deepEqual(found.body.data, execution);
});

test('a list brings outputs up to a bound, and every run', async () => {
  const id = await deployTask(server, 'talkative', "export default () => 'x'.repeat(6e6);\n");
  const first = await beginRun(server, 'talkative');
  await executionIn(server, id, first, endStates);
  for (let count = 0; count < 2; ++count) await outputOf(server, 'talkative');
  const { body } = await server.request('GET', `/v1/task/${id}/executions`);
  const results: (Execution & { outputOmitted?: true })[] = body.data.results;
  const told = results.map(({ output, outputOmitted }) => [output?.length, outputOmitted]);
  const whole = [6e6 + 2, undefined];
  assert.deepEqual(told, [whole, [undefined, true], [undefined, true]]);
  const { output } = await executionOf(server, id, first);
  assert.equal(output?.length, 6e6 + 2, 'it is there');
});
