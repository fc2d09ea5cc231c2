// What `capstan keys` asks of a running server: keys made, listed and revoked, and nobody let in
// but who can read the data folder.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { deployTask, runTask } from '../support/tasks.ts';
import { check, play, type Scenario, unknownId } from './scenario.ts';
import { text, time, uuid } from './shape.ts';

const server = await startServer({ config: quiet() });
after(() => server.stop());

const filePath = (): string => path.join(server.dataDir, 'operator.json');
const operatorFile = (): { url: string; token: string } =>
  JSON.parse(readFileSync(filePath(), 'utf8'));

const { token } = operatorFile();
const secrets = [token];

/** A row as the operator sends it. */
const row = (scenario: Scenario): Scenario => ({
  key: null,
  ...scenario,
  headers: { 'capstan-operator-token': token, ...scenario.headers },
});

const calls: Scenario[] = [
  { call: 'POST /operator/keys', body: { team: 'a', name: 'b' }, status: 401 },
  { call: 'GET /operator/keys', status: 401 },
  { call: 'DELETE /operator/keys/{keyId}', at: { keyId: unknownId }, status: 401 },
];

test('the file is for its owner, and tells where the server is', () => {
  assert.equal(statSync(filePath()).mode & 0o777, 0o600);
  assert.equal(operatorFile().url, server.url);
  assert.match(token, /^[0-9a-f]{64}$/);
});

test('a key is made, works, is listed, and is revoked once', async () => {
  const made = await play(
    server,
    row({
      call: 'POST /operator/keys',
      body: { team: 'second', name: 'laptop' },
      status: 200,
      shape: { data: { id: uuid, key: /^capstan_[0-9a-f]{64}$/ } },
    }),
  );
  const { id, key } = made.body.data;
  secrets.push(key);
  await check(server, [{ call: 'GET /v1/task', key, status: 200 }]);

  const item = { id: uuid, team: text, name: text, created_at: time };
  const list = row({ call: 'GET /operator/keys', status: 200 });
  const listed = await play(server, { ...list, shape: { data: { keys: [item] } } });
  const { created_at: _, ...found } = listed.body.data.keys.at(-1);
  assert.deepEqual(found, { id, team: 'second', name: 'laptop' });
  assert.ok(!listed.text.includes(key), 'the list shows no key');

  const at = { keyId: id };
  const shape = { data: { success: true, message: text } };
  const revoke = row({ call: 'DELETE /operator/keys/{keyId}', at, status: 200, shape });
  await check(server, [revoke]);
  const ended = { ...item, 'revoked_at?': time };
  const after = await play(server, { ...list, shape: { data: { keys: [ended] } } });
  assert.match(after.body.data.keys.at(-1).revoked_at, time);
  await check(server, [
    { call: 'GET /v1/task', key, status: 401 },
    { ...revoke, status: 404, says: id },
  ]);
});

test('a key of no such id is not found', () =>
  check(
    server,
    [unknownId, 'all', '1'].map((keyId) =>
      row({ call: 'DELETE /operator/keys/{keyId}', at: { keyId }, status: 404, says: keyId }),
    ),
  ));

test('what cannot name a team or a key is refused by its field', () => {
  const refused = (body: unknown, says: string | RegExp, status = 400): Scenario =>
    row({ call: 'POST /operator/keys', body, status, says });
  return check(server, [
    refused({}, /team is required.*name is required/s),
    refused({ team: 'a' }, 'name'),
    refused({ team: 1, name: null }, /team.*name/s),
    refused({ team: '', name: 'b' }, "team's name"),
    refused({ team: 'a', name: '' }, "key's name"),
    refused({ team: 'a'.repeat(101), name: 'b' }, '100 bytes'),
    refused({ team: 'a', name: 'two\nlines' }, 'in one line'),
    refused({ team: 'a', name: '\u001b[2J' }, 'in one line'),
    refused('[]', 'object'),
    refused('{', 'JSON'),
    row({
      call: 'POST /operator/keys',
      headers: { 'content-type': 'text/plain' },
      body: '{"team":"a","name":"b"}',
      status: 415,
    }),
  ]);
});

test('who does not have the token is not let in', () => {
  const turned = token.replace(/[a-f]/g, (c) => c.toUpperCase());
  const credentials: Record<string, string>[] = [
    {},
    { 'capstan-operator-token': '' },
    { 'capstan-operator-token': '0'.repeat(64) },
    { 'capstan-operator-token': token.slice(0, -1) },
    { 'capstan-operator-token': `${token}0` },
    { 'capstan-operator-token': turned },
    { 'capstan-operator-token': server.key },
    { 'anchor-api-key': server.key },
    { 'anchor-api-key': token },
    { authorization: `Bearer ${token}` },
  ];
  return check(
    server,
    calls.flatMap((call) => [
      ...credentials.map((headers) => ({ ...call, key: null, headers, says: 'operator.json' })),
      { ...call, key: null, query: `capstan-operator-token=${token}`, says: 'operator.json' },
    ]),
  );
});

test('the token opens nothing else', () =>
  check(server, [
    row({ call: 'GET /v1/task', status: 401 }),
    { call: 'GET /v1/task', key: token, status: 401 },
  ]));

test('other methods are not taken, and other addresses not known', () =>
  check(server, [
    row({ call: 'PUT /operator/keys', status: 405 }),
    row({ call: `GET /operator/keys/${unknownId}`, status: 405 }),
    row({ call: 'GET /operator', status: 404 }),
  ]));

test('a task cannot use it, also when it has the token', async () => {
  const code = `
    const send = async (method, path, body) => {
      const answer = await fetch(process.env.ANCHORBROWSER_BASE_URL + path, {
        method, body,
        headers: { 'capstan-operator-token': process.env.ANCHOR_TOKEN,
                   'content-type': 'application/json' },
      });
      return answer.status;
    };
    export default async () => [
      await send('GET', '/v1/task'),
      await send('POST', '/operator/keys', '{"team":"a","name":"by a task"}'),
      await send('GET', '/operator/keys'),
      await send('DELETE', '/operator/keys/${unknownId}'),
    ];`;
  await deployTask(server, 'operator', code);
  const { output } = await runTask(server, 'operator', { inputs: { ANCHOR_TOKEN: token } });
  assert.deepEqual(output, [200, 401, 401, 401]);
  const { body } = await play(server, row({ call: 'GET /operator/keys', status: 200 }));
  assert.ok(!body.data.keys.some((each: { name: string }) => each.name === 'by a task'));
});

test('neither the token nor a key is in the log', () => {
  assert.ok(server.log.length > 0, 'there is a log');
  const told = server.log.filter((each) => secrets.some((secret) => each.includes(secret)));
  assert.deepEqual(told, []);
});

test('the file goes with the server, and a token with its start', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'capstan-operator-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const kept = await startServer({ config: quiet(), data: path.join(folder, 'data') });
  const file = path.join(kept.dataDir, 'operator.json');
  const first = JSON.parse(readFileSync(file, 'utf8'));
  await kept.kill9();
  assert.ok(existsSync(file), 'a killed server leaves it behind');
  await kept.start();
  const second = JSON.parse(readFileSync(file, 'utf8'));
  assert.notEqual(second.token, first.token);
  assert.equal(second.url, kept.url);
  const call = 'GET /operator/keys';
  const old = { 'capstan-operator-token': first.token };
  await check(kept, [{ call, key: null, headers: old, status: 401 }]);
  await kept.stop();
  assert.ok(existsSync(kept.dataDir));
  assert.ok(!existsSync(file), 'one that stops takes it along');
});
