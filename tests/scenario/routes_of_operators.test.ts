// What only the operator may do: who can read the data folder finds a token in operator.json there.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type Server, startServer } from '../support/server.ts';
import { wrongFields } from './matrix.ts';
import { check, deployTask, play, quiet, type Scenario, unknownId } from './scenario.ts';
import { problemsOf, text, time, uuid } from './shape.ts';

let server: Server;
let token = '';
let file = '';

before(async () => {
  server = await startServer({ config: quiet });
  file = path.join(server.dataDir, 'operator.json');
  const access = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual(problemsOf({ url: server.url, token: /^[0-9a-f]{64}$/ }, access), []);
  token = access.token;
});
after(async () => {
  await server.stop();
  assert.equal(existsSync(file), false, 'the token goes with the server');
});

const headers = (): Record<string, string> => ({ 'capstan-operator-token': token });
const row = (call: string, status: number, more: Partial<Scenario> = {}): Scenario => ({
  call,
  key: null,
  headers: headers(),
  status,
  ...more,
});
const body = { team: 'ops', name: 'laptop' };
const made = { data: { id: uuid, key: /^capstan_[0-9a-f]{64}$/ } };
const item = { 'id': uuid, 'team': text, 'name': text, 'created_at': time, 'revoked_at?': time };

test('the file with the token is for its owner only', () => {
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('POST /operator/keys', async () => {
  const call = 'POST /operator/keys';
  const { key } = (await play(server, row(call, 200, { body, shape: made }))).body.data;
  await check(server, [{ call: 'GET /v1/task', key, status: 200 }]);
  const fields = { team: 'text', name: 'text' } as const;
  const wrong = wrongFields({ call, body, fields });
  await check(server, [
    ...wrong.map((each) => ({ ...each, key: null, headers: headers() })),
    row(call, 400, { body: { ...body, team: '' }, says: 'team' }),
    row(call, 400, { body: { ...body, name: '' }, says: 'name' }),
    row(call, 400, { body: {}, says: /team.*name/ }),
  ]);
});

test('GET /operator/keys', async () => {
  const call = 'GET /operator/keys';
  const listed = await play(server, row(call, 200, { shape: { data: { keys: [item] } } }));
  assert.equal(listed.body.data.keys.length, 2, 'the first one and the one that was made');
  assert.ok(!listed.text.includes('capstan_'), 'no key is shown');
});

test('DELETE /operator/keys/{keyId}', async () => {
  const call = 'DELETE /operator/keys/{keyId}';
  const create = row('POST /operator/keys', 200, { body });
  const { id, key } = (await play(server, create)).body.data;
  const at = { keyId: id };
  await check(server, [{ call: 'GET /v1/task', key, status: 200 }]);
  await play(server, row(call, 200, { at, shape: { data: { success: true, message: text } } }));
  await check(server, [
    { call: 'GET /v1/task', key, status: 401 },
    row(call, 404, { at }),
    row(call, 404, { at: { keyId: unknownId } }),
    row(call, 404, { at: { keyId: 'no' } }),
  ]);
  const list = row('GET /operator/keys', 200, { shape: { data: { keys: [item] } } });
  const { keys } = (await play(server, list)).body.data;
  assert.ok(
    keys.find((each: { id: string }) => each.id === id).revoked_at,
    'it is told as revoked',
  );
});

test('nobody else may, whatever else they hold', () => {
  const calls = ['GET /operator/keys', 'POST /operator/keys', 'DELETE /operator/keys/{keyId}'];
  const strangers: Partial<Scenario>[] = [
    { headers: {} },
    { headers: {}, key: server.key },
    { headers: { 'capstan-operator-token': '' } },
    { headers: { 'capstan-operator-token': server.key }, key: server.key },
    { headers: { 'capstan-operator-token': token.slice(1) } },
    { headers: { 'capstan-operator-token': `${token}0` } },
    { headers: { 'capstan-operator-token': token.toUpperCase() } },
    { headers: { 'anchor-api-key': token } },
    { headers: { authorization: `Bearer ${token}` } },
    { headers: {}, query: `capstan-operator-token=${token}&token=${token}` },
  ];
  const at = { keyId: unknownId };
  return check(
    server,
    calls.flatMap((call) => strangers.map((each) => row(call, 401, { at, body, ...each }))),
  );
});

test('a task may not, even if it holds the token', async () => {
  const source = `export default async () => {
    const headers = { 'capstan-operator-token': process.env.ANCHOR_TOKEN ?? '' };
    const base = process.env.ANCHORBROWSER_BASE_URL;
    const tried = await fetch(base + '/operator/keys', { headers });
    return tried.status;
  };
  `;
  const taskId = await deployTask(server, 'thief', source);
  const order = { taskId, inputs: { ANCHOR_TOKEN: token } };
  const ran = await play(server, { call: 'POST /v1/task/run', body: order, status: 200 });
  assert.equal(ran.body.data.output, '401', ran.text);
});

test('the token is not in the log', () => {
  assert.ok(server.log.length > 0);
  assert.deepEqual(
    server.log.filter((line) => line.includes(token)),
    [],
  );
});
