// Every route of tasks and their versions: its good answer, whole, and everything it must stand.
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { base64, deployTask } from '../support/tasks.ts';
import { mustStandAll, type Route, sessionConfigFields } from './matrix.ts';
import { check, play, revokedKey } from './scenario.ts';
import { base64Text, fields, number, type Shape, text, time, uuid } from './shape.ts';

const source = 'export default async () => 1;\n';
const code = base64(source);
const name = 'world';
const language = 'typescript';

const server = await startServer({ config: quiet() });
after(() => server.stop());
const keys = { foreign: await server.createKey('foreign'), revoked: await revokedKey(server) };
const taskId = await deployTask(server, name, source);

const stand = (route: Route): Promise<void> => mustStandAll(server, route, keys);

const timestamps = { createdAt: time, updatedAt: time };
const named = {
  'id': uuid,
  'name': text,
  'teamId': uuid,
  'description?': text,
  'deleted': false,
  ...timestamps,
} satisfies Shape;
const latest = /^(|draft|[1-9]\d*)$/;
const metadata = { ...named, latest };
const task = {
  ...named,
  'latestVersion': latest,
  'code': base64Text,
  language,
  'browserConfiguration?': fields,
} satisfies Shape;
const version = {
  'id': uuid,
  'taskId': uuid,
  'version': /^(draft|[1-9]\d*)$/,
  code,
  language,
  'description?': text,
  'browserConfiguration?': fields,
  'deleted': false,
  ...timestamps,
} satisfies Shape;
const done = { data: { success: true, message: text } };

const versionFields = {
  code: 'code',
  language: 'word',
  description: 'text',
  ...sessionConfigFields('browserConfiguration'),
} as const;

test('POST /v1/task', async () => {
  const call = 'POST /v1/task';
  const body = { name: 'made', language };
  const shape = { data: { ...task, name: 'made' } };
  await check(server, [
    { call, body, status: 200, shape: { data: { ...shape.data, code: '', latestVersion: '' } } },
    { call, body: { ...body, code }, status: 200, shape },
    { call, body: { ...body, description: 'd', browserConfiguration: {} }, status: 200, shape },
    { call, body: { ...body, unknown: { field: 1 } }, status: 200, shape },
  ]);
  await stand({ call, body, fields: { name: 'name', ...versionFields } });
  await check(server, [
    { call, body: { language }, status: 400, says: 'name' },
    { call, body: { name: 'made' }, status: 400, says: 'language' },
    {
      call,
      body: { name: 1, language: 'python', code: 2 },
      status: 400,
      says: /name.*language.*code/,
    },
  ]);
});

test('GET /v1/task', async () => {
  const call = 'GET /v1/task';
  const shape = { data: { tasks: [task], total: number, page: 1, limit: 10 } } satisfies Shape;
  await check(server, [
    { call, status: 200, shape },
    { call, query: 'page=1&limit=10', status: 200, shape },
    { call, query: 'page=7', status: 200, shape: { data: { ...shape.data, page: 7 } } },
    { call, query: 'name=world&unknown=1', status: 200, shape },
  ]);
  await stand({ call, queryFields: { page: 'page', limit: 'limit' } });
});

test('GET /v1/task/{taskId}', async () => {
  const call = 'GET /v1/task/{taskId}';
  const at = { taskId };
  await check(server, [{ call, at, status: 200, shape: { data: { ...metadata, id: taskId } } }]);
  await stand({ call, at });
});

test('PUT /v1/task/{taskId}', async () => {
  const call = 'PUT /v1/task/{taskId}';
  const at = { taskId };
  const body = { description: 'told anew' };
  const shape = { data: { ...metadata, id: taskId, description: 'told anew' } };
  await check(server, [{ call, at, body, status: 200, shape }]);
  await stand({ call, at, body, fields: { name: 'name', description: 'text' } });
});

test('GET /v1/task/{taskId}/versions', async () => {
  const call = 'GET /v1/task/{taskId}/versions';
  const at = { taskId };
  const item = { 'version': /^(draft|[1-9]\d*)$/, 'description?': text, ...timestamps };
  await check(server, [{ call, at, status: 200, shape: { data: { taskId, versions: [item] } } }]);
  await stand({ call, at });
});

for (const which of ['latest', 'draft']) {
  test(`GET /v1/task/{taskId}/${which}`, async () => {
    const call = `GET /v1/task/{taskId}/${which}`;
    const at = { taskId };
    const shape = { data: { ...version, taskId, version: which === 'draft' ? 'draft' : /^\d+$/ } };
    await check(server, [{ call, at, status: 200, shape }]);
    await stand({ call, at });
  });
}

test('POST /v1/task/{taskId}/draft', async () => {
  const call = 'POST /v1/task/{taskId}/draft';
  const at = { taskId };
  const body = { code };
  await check(server, [
    { call, at, body, status: 200, shape: { data: { ...version, version: 'draft' } } },
  ]);
  await stand({ call, at, body, fields: versionFields });
});

test('POST /v1/task/{taskId}/deploy', async () => {
  const call = 'POST /v1/task/{taskId}/deploy';
  const at = { taskId };
  const body = { code, language, description: 'next' };
  const shape = { data: { ...version, version: /^[2-9]$/, description: 'next' } };
  await check(server, [{ call, at, body, status: 200, shape }]);
  await stand({ call, at, body, fields: versionFields });
});

test('GET /v1/task/{taskId}/{taskVersion}', async () => {
  const call = 'GET /v1/task/{taskId}/{taskVersion}';
  const at = { taskId, taskVersion: '1' };
  await check(server, [{ call, at, status: 200, shape: { data: { ...version, version: '1' } } }]);
  await stand({ call, at });
});

test('POST /v1/task/{taskId}/{taskVersion}', async () => {
  const call = 'POST /v1/task/{taskId}/{taskVersion}';
  const at = { taskId, taskVersion: '7' };
  const body = { code };
  await check(server, [
    { call, at, body, status: 200, shape: { data: { ...version, version: '7' } } },
  ]);
  await stand({ call, at, body, fields: versionFields });
});

test('DELETE /v1/task/{taskId}/{taskVersion}', async () => {
  const call = 'DELETE /v1/task/{taskId}/{taskVersion}';
  const at = { taskId, taskVersion: '7' };
  await stand({ call, at });
  await play(server, { call, at, status: 200, shape: done });
});

test('DELETE /v1/task/{taskId}', async () => {
  const call = 'DELETE /v1/task/{taskId}';
  const at = { taskId };
  await stand({ call, at });
  await play(server, { call, at, status: 200, shape: done });
  await check(server, [{ call, at, status: 404 }]);
});
