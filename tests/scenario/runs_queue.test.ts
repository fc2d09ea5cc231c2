// Runs that have to wait: a full queue, turns, calls that are repeated, and lists of what has run.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startServer } from '../support/server.ts';
import { openSession, sessionHasEnded } from '../support/sessions.ts';
import { quiet } from '../support/settings.ts';
import { base64, deployTask } from '../support/tasks.ts';
import { check, nextMillisecond, play, type Scenario } from './scenario.ts';

const config = quiet({
  runs: { max_running: 1, max_queued: 4, max_queued_per_team: 3, warm: 1 },
});

/** Waits as long as its input says, and returns which run it is. */
const wait = `export default async ({ executionId }: { executionId: string }) => {
  await new Promise((done) => setTimeout(done, Number(process.env.ANCHOR_MS ?? 0)));
  return executionId;
};
`;

const server = await startServer({ config });
after(() => server.stop());
let taskId = await deployTask(server, 'wait', wait);
const otherKey = await server.createKey('other');
await deployTask(server, 'wait', wait, { key: otherKey });

const call = 'POST /v1/task/run/{taskName}';
const at = { taskName: 'wait' };
const order = (body: object, status = 200, key: string = server.key): Scenario => ({
  call,
  at,
  key,
  body,
  status,
});
const long = { async: true, inputs: { ANCHOR_MS: '60000' } };

async function start(body: object, key?: string): Promise<string> {
  nextMillisecond();
  return (await play(server, order(body, 200, key))).body.data.executionResultId;
}

type Execution = { id: string; status: string; output: string | null; version: string };

async function executionOf(executionId: string): Promise<Execution> {
  const found = 'GET /v1/task/{taskId}/executions/{executionId}';
  const place = { taskId, executionId };
  return (await play(server, { call: found, at: place, status: 200 })).body.data;
}

function cancel(executionId: string, status = 200): Promise<unknown> {
  const place = { taskId, executionId };
  const cancelling = 'POST /v1/task/{taskId}/executions/{executionId}/cancel';
  return play(server, { call: cancelling, at: place, status });
}

async function list(query = ''): Promise<{ results: Execution[]; total: number; pages: number }> {
  const listing = 'GET /v1/task/{taskId}/executions';
  const { data } = (await play(server, { call: listing, at: { taskId }, query, status: 200 })).body;
  const { total, totalPages: pages } = data.pagination;
  return { results: data.results, total, pages };
}

test('a full queue refuses: first the team that filled its share, then everybody', async () => {
  const running = await start(long);
  await eventually(
    'the first one runs',
    async () => (await executionOf(running)).status === 'running',
    10_000,
  );
  const queued = [await start(long), await start(long), await start(long)];
  assert.equal((await list('status=queued')).total, 3, 'what waits is listed');
  assert.equal((await list('status=running')).total, 1);

  await check(server, [{ ...order(long, 429), says: 'team' }, order({}, 429)]);
  await play(server, order(long, 200, otherKey));
  await check(server, [{ ...order(long, 503, otherKey), says: 'server' }, order({}, 503)]);
  await check(server, [{ call, at: { taskName: 'nobody' }, body: {}, status: 404 }]);
  assert.equal((await list()).total, 4, 'what was refused is nowhere');

  const [first = '', ...others] = queued;
  await cancel(first);
  assert.equal((await executionOf(first)).status, 'cancelled');
  await cancel(first, 409);
  await start(long); // there is room again
  for (const { id } of (await list('status=queued')).results) await cancel(id);
  await cancel(running);
  for (const id of [running, ...others]) {
    assert.equal((await executionOf(id)).status, 'cancelled', 'an end is for good');
  }
  const theirs = (await play(server, { call: 'GET /v1/task', key: otherKey, status: 200 })).body;
  const place = { taskId: theirs.data.tasks[0].id };
  const listing = {
    call: 'GET /v1/task/{taskId}/executions',
    at: place,
    key: otherKey,
    status: 200,
  };
  const [left] = (await play(server, listing)).body.data.results;
  const cancelling = 'POST /v1/task/{taskId}/executions/{executionId}/cancel';
  const executionId: string = left.id;
  const end = { call: cancelling, at: { ...place, executionId }, key: otherKey, status: 200 };
  await play(server, end);
  await play(server, order({})); // and the slot is free
});

test('runs that wait are begun in the order they came', async () => {
  const ids: string[] = [];
  const before = (await list()).total;
  const running = await start({ async: true, inputs: { ANCHOR_MS: '300' } });
  for (let i = 0; i < 3; ++i) ids.push(await start({ async: true }));
  await eventually(
    'all have run',
    async () => (await list('status=success&limit=100')).results.some(({ id }) => id === ids[2]),
    20_000,
  );
  const { results, total } = await list('limit=4');
  assert.equal(total, before + 4);
  assert.deepEqual(
    results.map(({ id }) => id),
    [running, ...ids].toReversed(),
  );
  const outputs = results.map(({ output }) => JSON.parse(output ?? 'null'));
  assert.deepEqual(outputs, [running, ...ids].toReversed(), 'each run knows which one it is');
});

test('an idempotency key is 1 to 255 visible characters', () => {
  const bad = ['', 'x'.repeat(256), 'x'.repeat(300), 'two words', 'k\u00e4se', 'a\tb'];
  return check(
    server,
    bad.map((key) => ({
      ...order({}, 400),
      headers: { 'idempotency-key': key },
      says: /idempotency-key/i,
    })),
  );
});

const repeated = (key: string, body: object, status = 200): Scenario => ({
  ...order(body, status),
  headers: { 'idempotency-key': key },
});

test('the same call with the same key is one run', async () => {
  const before = (await list()).total;
  const body = { inputs: { ANCHOR_MS: '1' } };
  const first = await play(server, repeated('k1', body));
  const again = await play(server, repeated('k1', body));
  assert.deepEqual(again.body, first.body);
  assert.equal(again.headers['x-execution-id'], first.headers['x-execution-id']);
  assert.equal((await list()).total, before + 1);
  await check(server, [
    { ...repeated('k1', { inputs: { ANCHOR_MS: '2' } }, 422), about: 'another body' },
    { ...repeated('k1', {}, 422), about: 'no body' },
    { ...repeated('k1', { ...body, taskId }, 422), call: 'POST /v1/task/run', about: 'by id' },
  ]);
  const key = 'x'.repeat(255);
  assert.notDeepEqual((await play(server, repeated(key, body))).body, first.body);
  const theirs = await play(server, { ...repeated('k1', body), key: otherKey });
  assert.notEqual(theirs.body.data.taskId, taskId, "another team's key is another key");
});

test('a call that is repeated while the first one is under way waits as that does', async () => {
  const before = (await list()).total;
  const body = { inputs: { ANCHOR_MS: '300' } };
  const calls = Array.from({ length: 3 }, () => play(server, repeated('k2', body)));
  const ids = (await Promise.all(calls)).map((answer) => answer.body.data.executionResultId);
  assert.equal(new Set(ids).size, 1);
  assert.equal((await list()).total, before + 1);
});

test('a call that is repeated is answered, even if it could not be made anew', async () => {
  const { id } = await openSession(server);
  const body = { sessionId: id, cleanupSessions: true };
  const first = await play(server, repeated('k3', body));
  await sessionHasEnded(server, body.sessionId);
  const again = await play(server, repeated('k3', body));
  assert.deepEqual(again.body, first.body, 'though the first one has ended the session');
});

test('a refused call leaves its key free', async () => {
  await check(server, [repeated('k4', { version: '99' }, 404)]);
  await play(server, repeated('k4', {}));
});

test('executions are listed in pages, newest first, each once', async () => {
  taskId = await deployTask(server, 'paged', 'export default async () => 1;\n');
  const ids: string[] = [];
  for (let i = 0; i < 7; ++i) {
    const paged = { call, at: { taskName: 'paged' }, body: {}, status: 200 };
    ids.push((await play(server, paged)).body.data.executionResultId);
  }
  const draft = { call: 'POST /v1/task/run', body: { taskId, version: 'draft' }, status: 200 };
  const unlisted: string = (await play(server, draft)).body.data.executionResultId;
  const seen: string[] = [];
  for (let page = 1; page <= 4; ++page) {
    const { results, total, pages } = await list(`limit=2&page=${page}`);
    assert.deepEqual([total, pages], [7, 4]);
    seen.push(...results.map(({ id }) => id));
  }
  assert.deepEqual(seen, ids.toReversed());
  assert.deepEqual((await list('page=5&limit=2')).results, []);
  assert.equal((await list('version=1')).total, 7);
  assert.equal((await list('version=2')).total, 0);
  assert.equal((await list('status=failure')).total, 0);
  const drafted = await executionOf(unlisted);
  assert.equal(drafted.version, 'draft', "a draft's run is found by its id, and not listed");
  await play(server, {
    call: 'POST /v1/task/{taskId}/deploy',
    at: { taskId },
    body: { code: base64('export default async () => { throw new Error("no"); };\n') },
    status: 200,
  });
  await play(server, { call, at: { taskName: 'paged' }, body: {}, status: 200 });
  assert.equal((await list('version=2&status=failure')).total, 1);
});

test('after a crash a repeated call still means the run that it began', async () => {
  taskId = await deployTask(server, 'wait', wait);
  const first = await play(server, repeated('k5', {}));
  const children = await server.kill9();
  await server.assertNothingIsLeft(children);
  await server.start();
  const again = await play(server, repeated('k5', {}));
  assert.deepEqual(again.body, first.body);
  await check(server, [repeated('k5', { async: false }, 422)]);
});
