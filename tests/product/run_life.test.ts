// The life of a run as its caller sees it: accepted, followed, cancelled, repeated, found again.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventsOf, type ServerEvent } from '../support/events.ts';
import { eventually, within } from '../support/eventually.ts';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import {
  base64,
  beginRun,
  deployTask,
  endStates,
  executionIn,
  executionOf,
  outputOf,
  pushTask,
  runTask,
} from '../support/tasks.ts';

const config = quiet({ runs: { max_running: 4, warm: 2 } });
const server = await startServer({ config });
after(() => server.stop());

const limit = { timeout: 60_000 };

/** Prints, and then does nothing until it is told to stop. */
const waits = `
  console.log('begun');
  export default ({ signal }) => new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      console.log('told to stop');
      resolve('too late');
    });
  });`;

function cancel(task: string, id: string) {
  return server.request('POST', `/v1/task/${task}/executions/${id}/cancel`);
}

async function listOf(task: string, query = ''): Promise<any> {
  const answer = await server.request('GET', `/v1/task/${task}/executions${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.data;
}

test('an async run is answered at once, polled, and listed newest first', limit, async () => {
  const task = await deployTask(server, 'waits', waits);
  const id = await beginRun(server, 'waits');
  const running = await executionIn(server, task, id, ['running']);
  const { output, errorMessage, executionTime } = running;
  assert.deepEqual([output, errorMessage, executionTime], [null, null, null]);
  assert.equal(running.version, '1');
  await deployTask(server, 'waits', 'export default () => "second";'); // version 2 of the same task
  const second = await runTask(server, 'waits');

  const { results, pagination } = await listOf(task);
  assert.deepEqual(results.map((each: any) => [each.id, each.status, each.version]), [
    [second.executionResultId, 'success', '2'],
    [id, 'running', '1'],
  ]);
  assert.deepEqual(pagination, { page: 1, limit: 10, total: 2, totalPages: 1 });
  assert.equal((await listOf(task, '?status=running')).results[0].id, id);
  assert.equal((await listOf(task, '?version=2')).pagination.total, 1);
  assert.equal((await listOf(task, '?page=2&limit=1')).results[0].id, id);
  assert.equal((await cancel(task, id)).status, 200);
});

test('cancelling tells the code to stop, and the run is cancelled', limit, async () => {
  const task = await deployTask(server, 'waits', waits);
  const id = await beginRun(server, 'waits');
  await executionIn(server, task, id, ['running']);
  const cancelled = await cancel(task, id);
  assert.equal(cancelled.status, 200, cancelled.text);
  assert.equal(cancelled.body.data.success, true);
  const execution = await executionOf(server, task, id);
  assert.equal(execution.status, 'cancelled', 'whatever the code says now');
  assert.equal(execution.output, null);
  const again = await cancel(task, id);
  assert.equal(again.status, 409, 'an end state never changes');
});

test('code that does not listen is cancelled all the same', limit, async () => {
  const task = await deployTask(server, 'deaf', 'export default () => { while (true); };');
  const id = await beginRun(server, 'deaf');
  await executionIn(server, task, id, ['running']);
  assert.equal((await cancel(task, id)).status, 200);
  assert.equal((await executionOf(server, task, id)).status, 'cancelled');
});

test('a queued run can be cancelled and never begins', limit, async () => {
  const task = await deployTask(server, 'waits', waits);
  const running = [];
  for (let count = 0; count < 4; ++count) running.push(await beginRun(server, 'waits'));
  const queued = await beginRun(server, 'waits');
  assert.equal((await executionOf(server, task, queued)).status, 'queued');
  assert.equal((await cancel(task, queued)).status, 200);
  for (const id of running) assert.equal((await cancel(task, id)).status, 200);
  const execution = await executionOf(server, task, queued);
  assert.equal(execution.status, 'cancelled');
  const logs = await server.request('GET', `/v1/task/${task}/executions/${queued}/logs`);
  assert.deepEqual(logs.body.data.logs, []);
});

test('logs have their lines with time and stream, and can be followed live', limit, async () => {
  const code = `
    export default async ({ signal }) => {
      console.log('one\\ntwo');
      console.error('to the error output');
      process.stdout.write('unfinished');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      console.log(' and finished');
    };`;
  const task = await deployTask(server, 'prints', code);
  const id = await beginRun(server, 'prints');
  const path = `/v1/task/${task}/executions/${id}/logs`;
  const seen: ServerEvent[] = [];
  for await (const event of eventsOf(server, path, AbortSignal.timeout(30_000))) {
    seen.push(event);
    if (seen.length === 3) assert.equal((await cancel(task, id)).status, 200);
  }
  const end = seen.pop();
  assert.equal(end?.event, 'end');
  assert.deepEqual([end.data.id, end.data.status], [id, 'cancelled']);
  assert.ok(seen.every(({ event }) => event === 'log'));
  const lines = seen.map(({ data }) => `${data.stream}: ${data.text}`);
  assert.deepEqual(lines.sort(), [
    'stderr: to the error output',
    'stdout: one',
    'stdout: two',
    'stdout: unfinished and finished',
  ]);

  const { body } = await server.request('GET', path);
  assert.deepEqual(body.data.logs, seen.map(({ data }) => data), 'they are kept');
  assert.equal(body.data.truncated, false);
  const times = body.data.logs.map(({ time }: { time: string }) => Date.parse(time));
  assert.ok(times.every((time: number) => Math.abs(Date.now() - time) < 60_000));
  const replayed = [];
  for await (const event of eventsOf(server, path)) replayed.push(event.event);
  assert.deepEqual(replayed, ['log', 'log', 'log', 'log', 'end'], 'a late follower gets all of it');
});

test('a caller who hangs up loses nothing', limit, async () => {
  const code = `
    import { setTimeout } from 'node:timers/promises';
    export default async () => { await setTimeout(1000); return 'kept'; };`;
  const task = await deployTask(server, 'slow', code);
  const hangUp = new AbortController();
  const path = '/v1/task/run/slow';
  const call = server.request('POST', path, { body: {}, signal: hangUp.signal });
  const refused = assert.rejects(call, { name: 'AbortError' });
  const listed = async (): Promise<string> => (await listOf(task)).results[0]?.id;
  const id = await eventually('the run is listed', listed, 10_000);
  hangUp.abort();
  await refused;
  const execution = await executionIn(server, task, id, endStates);
  assert.deepEqual([execution.status, execution.output], ['success', '"kept"']);
  assert.ok(execution.executionTime !== null && execution.executionTime >= 1000);
});

test('a run keeps the version that it was accepted with', limit, async () => {
  const task = await deployTask(server, 'pinned', waits);
  const blockers = [];
  for (let count = 0; count < 4; ++count) blockers.push(await beginRun(server, 'pinned'));
  await deployTask(server, 'pinned', 'export default () => "second";');
  const accepted = await beginRun(server, 'pinned');
  await deployTask(server, 'pinned', 'export default () => "third";');
  for (const id of blockers) assert.equal((await cancel(task, id)).status, 200);
  const execution = await executionIn(server, task, accepted, endStates);
  assert.deepEqual([execution.version, execution.output], ['2', '"second"']);
  assert.equal(await outputOf(server, 'pinned'), 'third');
});

test('by name, latest is what was published, else the draft', limit, async () => {
  const pushed = await pushTask(server, 'drafted', 'export default () => "draft 1";');
  const task = pushed.body.data.id;
  const first = await runTask(server, 'drafted');
  assert.equal(first.output, 'draft 1');
  assert.deepEqual((await listOf(task)).results, [], 'draft runs are not listed');
  assert.equal((await executionOf(server, task, first.executionResultId)).version, 'draft');

  const code = base64('export default () => "published";');
  const path = `/v1/task/${task}/deploy`;
  assert.equal((await server.request('POST', path, { body: { code } })).status, 200);
  assert.equal(await outputOf(server, 'drafted'), 'published');
  assert.equal(await outputOf(server, 'drafted', { version: 'draft' }), 'draft 1');
  assert.equal(await outputOf(server, 'drafted', { version: '1' }), 'published');
  const missing = await server.request('POST', '/v1/task/run/drafted', { body: { version: '2' } });
  assert.equal(missing.status, 404);

  await server.request('DELETE', `/v1/task/${task}/1`);
  assert.equal(await outputOf(server, 'drafted'), 'draft 1');
});

test('a second team sees nothing of the first', limit, async () => {
  const task = await deployTask(server, 'private', 'export default () => "first team";');
  const { executionResultId: id } = await runTask(server, 'private');
  const key = await server.createKey('others');
  for (const [method, path, body] of [
    ['GET', `/v1/task/${task}`],
    ['GET', `/v1/task/${task}/executions/${id}`],
    ['GET', `/v1/task/${task}/executions/${id}/logs`],
    ['POST', `/v1/task/${task}/executions/${id}/cancel`],
    ['POST', '/v1/task/run/private', {}],
    ['POST', '/v1/task/run', { taskId: task }],
  ] as [string, string, object?][]) {
    const answer = await server.request(method, path, { key, body });
    assert.equal(answer.status, 404, `${method} ${path}: ${answer.text}`);
  }
  await deployTask(server, 'private', 'export default () => "other team";', { key });
  assert.equal((await runTask(server, 'private', {}, { key })).output, 'other team');
  assert.equal(await outputOf(server, 'private'), 'first team');
});

test('waiting for a slot is not run time, and a full house runs in turn', limit, async () => {
  await deployTask(server, 'one', 'export default () => 1;');
  const calls = Array.from({ length: 16 }, () => outputOf(server, 'one'));
  const outputs = await within('all 16 are answered', 50_000, Promise.all(calls));
  assert.deepEqual(outputs, Array(16).fill(1));
  assert.equal(await server.metric('capstan_runs_running'), 0);
});
