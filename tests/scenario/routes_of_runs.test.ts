// Every route of runs: its good answer, whole, and everything it must stand.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { deployTask, runTask } from '../support/tasks.ts';
import { mustStandAll, type Route, sessionConfigFields } from './matrix.ts';
import { check, endOf, play, revokedKey } from './scenario.ts';
import { number, orNull, problemsOf, type Shape, text, time, uuid } from './shape.ts';

const name = 'world';
const source = `export default async () => {
  console.log('about to return');
  return { said: process.env.ANCHOR_WORD ?? null };
};
`;

const server = await startServer({ config: quiet() });
after(() => server.stop());
const keys = { foreign: await server.createKey('foreign'), revoked: await revokedKey(server) };
const taskId = await deployTask(server, name, source);
const { executionResultId: executionId } = await runTask(server, name);

const stand = (route: Route): Promise<void> => mustStandAll(server, route, keys);

const execution = {
  id: uuid,
  taskVersionId: uuid,
  version: /^(draft|[1-9]\d*)$/,
  status: /^(queued|running|success|failure|timeout|cancelled)$/,
  output: orNull(text),
  errorMessage: orNull(text),
  startTime: time,
  executionTime: orNull(number),
  sessionIds: [uuid],
} satisfies Shape;
const ran = {
  data: {
    success: true,
    async: false,
    message: 'Task execution completed successfully',
    taskId: uuid,
    executionTime: number,
    output: '{"said":"hello"}',
    executionResultId: uuid,
  },
} satisfies Shape;
const started = {
  data: {
    success: true,
    async: true,
    message: 'Task execution started',
    taskId: uuid,
    executionResultId: uuid,
  },
} satisfies Shape;
const done: Shape = { data: { success: true, message: text } };

const runFields = {
  'sessionId': 'word',
  'async': 'flag',
  'version': 'word',
  'inputs': 'object',
  'inputs.ANCHOR_WORD': 'text',
  'cleanupSessions': 'flag',
  ...sessionConfigFields('overrideBrowserConfiguration'),
} as const;

test('POST /v1/task/run', async () => {
  const call = 'POST /v1/task/run';
  const body = { taskId, inputs: { ANCHOR_WORD: 'hello' } };
  await check(server, [
    { call, body, status: 200, shape: ran },
    { call, body: { ...body, version: '1', cleanupSessions: false }, status: 200, shape: ran },
    { call, body: { ...body, taskSessionId: 'ignored' }, status: 200, shape: ran },
  ]);
  await stand({ call, body, fields: { taskId: 'word', ...runFields } });
  const later = { call, body: { ...body, async: true }, status: 200, shape: started };
  const { executionResultId } = (await play(server, later)).body.data;
  assert.equal((await endOf(server, taskId, executionResultId)).output, ran.data.output);
  await check(server, [{ call, body: {}, status: 400, says: 'taskId' }]);
});

test('POST /v1/task/run/{taskName}', async () => {
  const call = 'POST /v1/task/run/{taskName}';
  const at = { taskName: name };
  const body = { inputs: { ANCHOR_WORD: 'hello' } };
  await check(server, [
    { call, at, body, status: 200, shape: ran },
    { call, at, body: { ...body, version: 'draft' }, status: 200, shape: ran },
  ]);
  const answer = await play(server, { call, at, body, status: 200 });
  assert.equal(answer.headers['x-execution-id'], answer.body.data.executionResultId);
  await stand({ call, at, body, fields: runFields });
  const later = { call, at, body: { ...body, async: true }, status: 200, shape: started };
  const { executionResultId } = (await play(server, later)).body.data;
  assert.equal((await endOf(server, taskId, executionResultId)).output, ran.data.output);
});

test('GET /v1/task/{taskId}/executions', async () => {
  const call = 'GET /v1/task/{taskId}/executions';
  const at = { taskId };
  const pagination = { page: 1, limit: 10, total: number, totalPages: number };
  const shape = { data: { results: [execution], pagination } } satisfies Shape;
  await check(server, [
    { call, at, status: 200, shape },
    { call, at, query: 'status=success&version=1', status: 200, shape },
    { call, at, query: 'status=cancelled&unknown=1', status: 200, shape },
  ]);
  const filters = { page: 'page', limit: 'limit', status: 'word', version: 'version' } as const;
  await stand({ call, at, queryFields: filters });
});

test('GET /v1/task/{taskId}/executions/{executionId}', async () => {
  const call = 'GET /v1/task/{taskId}/executions/{executionId}';
  const at = { taskId, executionId };
  const shape = { data: { ...execution, id: executionId, status: 'success' } };
  await check(server, [{ call, at, status: 200, shape }]);
  await stand({ call, at });
  const other = await deployTask(server, 'other', source);
  await check(server, [{ call, at: { taskId: other, executionId }, status: 404 }]);
});

test('GET /v1/task/{taskId}/executions/{executionId}/logs', async () => {
  const call = 'GET /v1/task/{taskId}/executions/{executionId}/logs';
  const at = { taskId, executionId };
  const line = { time, stream: 'stdout', text: 'about to return' };
  const shape = { data: { logs: [line], truncated: false } } satisfies Shape;
  const { body } = await play(server, { call, at, status: 200, shape });
  assert.equal(body.data.logs.length, 1);
  const headers = { accept: 'text/event-stream' };
  const events = await play(server, { call, at, headers, status: 200 });
  assert.match(events.headers['content-type'] ?? '', /^text\/event-stream/);
  const [first = '', second = ''] = events.text.split('\n\n');
  assert.deepEqual(problemsOf(line, JSON.parse(first.replace('event: log\ndata: ', ''))), []);
  assert.deepEqual(problemsOf(execution, JSON.parse(second.replace('event: end\ndata: ', ''))), []);
  await stand({ call, at });
});

test('POST /v1/task/{taskId}/executions/{executionId}/cancel', async () => {
  const call = 'POST /v1/task/{taskId}/executions/{executionId}/cancel';
  await stand({ call, at: { taskId, executionId } });
  await check(server, [{ call, at: { taskId, executionId }, status: 409 }]);
  const waits = 'export default () => new Promise((done) => setTimeout(done, 60_000));\n';
  const sleeper = await deployTask(server, 'sleeper', waits);
  const body = { taskId: sleeper, async: true };
  const run = await play(server, { call: 'POST /v1/task/run', body, status: 200 });
  const at = { taskId: sleeper, executionId: run.body.data.executionResultId };
  await play(server, { call, at, status: 200, shape: done });
  const shape = { data: { ...execution, status: 'cancelled' } };
  const found = 'GET /v1/task/{taskId}/executions/{executionId}';
  await play(server, { call: found, at, status: 200, shape });
});
