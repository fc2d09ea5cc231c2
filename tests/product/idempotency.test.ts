// Idempotency-Key: the same order, sent again, is the same run.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { deployTask, endStates, executionIn } from '../support/tasks.ts';

const config = quiet({ runs: { max_running: 1, warm: 2 } });
const server = await startServer({ config });
after(() => server.stop());

const limit = { timeout: 60_000 };

/** Answers another number in each process; or waits until it is cancelled. */
const code = `
  import { setTimeout } from 'node:timers/promises';
  export default async () => {
    await (process.env.ANCHOR_STAY ? new Promise(() => {}) : setTimeout(300));
    return Math.random();
  };`;
const task = await deployTask(server, 'random', code);

function run(key: string, body: object = {}, path = '/v1/task/run/random') {
  return server.request('POST', path, { body, headers: { 'idempotency-key': key } });
}

async function countOfRuns(): Promise<number> {
  const { body } = await server.request('GET', `/v1/task/${task}/executions`);
  return body.data.pagination.total;
}

test('20 callers with one key at the same time get one run', limit, async () => {
  const before = await countOfRuns();
  const answers = await Promise.all(Array.from({ length: 20 }, () => run('one-of-twenty')));
  for (const answer of answers) {
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.data.success, true);
  }
  assert.equal(new Set(answers.map(({ body }) => body.data.output)).size, 1);
  assert.equal(new Set(answers.map(({ headers }) => headers['x-execution-id'])).size, 1);
  assert.equal(await countOfRuns(), before + 1);
});

test('the same key with another order is refused', limit, async () => {
  const first = await run('a-key', { inputs: { ANCHOR_WORD: 'one' } });
  assert.equal(first.status, 200);
  const before = await countOfRuns();
  const other = await run('a-key', { inputs: { ANCHOR_WORD: 'two' } });
  assert.equal(other.status, 422, other.text);
  assert.equal(await countOfRuns(), before);
  const same = await run('a-key', { inputs: { ANCHOR_WORD: 'one' } });
  assert.equal(same.body.data.executionResultId, first.body.data.executionResultId);
  assert.equal(same.body.data.output, first.body.data.output);
});

test('keys belong to a team', limit, async () => {
  const first = await run('shared');
  const key = await server.createKey('others');
  await deployTask(server, 'random', code, { key });
  const headers = { 'idempotency-key': 'shared' };
  const other = await server.request('POST', '/v1/task/run/random', { key, headers, body: {} });
  assert.equal(other.status, 200, other.text);
  assert.notEqual(other.body.data.executionResultId, first.body.data.executionResultId);
});

test('a key that is no key is refused', limit, async () => {
  const before = await countOfRuns();
  for (const key of ['', 'x'.repeat(256), 'ümlaut']) {
    assert.equal((await run(key)).status, 400, `the key '${key}'`);
  }
  assert.equal(await countOfRuns(), before);
});

test('an async run answers the same again, also after a restart', limit, async () => {
  const first = await run('lasting', { async: true });
  assert.equal(first.status, 200, first.text);
  const { executionResultId: id } = first.body.data;
  const again = await run('lasting', { async: true });
  assert.equal(again.body.data.executionResultId, id);
  const execution = await executionIn(server, task, id, endStates);

  const before = await countOfRuns();
  await server.kill9();
  await server.start();
  const later = await run('lasting', { async: true });
  assert.equal(later.status, 200, later.text);
  assert.equal(later.body.data.executionResultId, id);
  assert.equal(await countOfRuns(), before);
  const kept = await executionIn(server, task, id, endStates);
  assert.deepEqual(kept, execution);
});

test('who asks again for a run that is queued waits for it, after a restart too', limit, async () => {
  const stay = { inputs: { ANCHOR_STAY: 'yes' }, async: true };
  const [interrupted, blocker] = [await run('stays-1', stay), await run('stays-2', stay)];
  const cutOff = assert.rejects(run('patient'));
  const listed = async () => {
    const path = `/v1/task/${task}/executions?status=queued`;
    const { results } = (await server.request('GET', path)).body.data;
    return results.length === 2 && results[0].id;
  };
  const queued = await eventually('two runs are queued', listed, 10_000);
  await server.kill9();
  await cutOff;

  await server.start();
  const { executionResultId: blocking } = blocker.body.data;
  await executionIn(server, task, blocking, ['running']);
  const waiting = run('patient');
  const cancelled = await server.request('POST', `/v1/task/${task}/executions/${blocking}/cancel`);
  assert.equal(cancelled.status, 200, cancelled.text);
  const { data } = (await waiting).body;
  assert.deepEqual([data.success, data.executionResultId], [true, queued], data.error);
  const { executionResultId: first } = interrupted.body.data;
  assert.equal((await executionIn(server, task, first, endStates)).status, 'failure');
});
