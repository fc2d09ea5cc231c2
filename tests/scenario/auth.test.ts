// Who may call: keys in their two headers, what is no key, keys of another team and keys that were
// revoked; and that no key is ever seen in the log.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { capstan, check, play, revokeKey, type Scenario } from './scenario.ts';
import { mustTell } from './wire_rows.ts';
import { exchange, requestText } from '../support/wire.ts';

const server = await startServer({ config: quiet() });
const { key } = server;
const secrets = [key];
after(() => server.stop());

const list = (headers: Record<string, string>, status: number, about: string): Scenario => ({
  call: 'GET /v1/task',
  key: null,
  headers,
  status,
  about,
});

test('a key is 256 random bits, in a file that only its owner may read', () => {
  const file = path.join(server.dataDir, 'api-key');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(server.dataDir).mode & 0o777, 0o700);
  assert.equal(readFileSync(file, 'utf8').trim(), key);
  assert.ok(key.length >= 43, `${key.length} characters hold 256 bits`);
});

test('the key is taken from either header', () =>
  check(server, [
    list({ 'anchor-api-key': key }, 200, 'our own header'),
    list({ 'Anchor-API-Key': key }, 200, "a header's name has no case"),
    list({ 'anchor-api-key': `  ${key} ` }, 200, 'blanks around it are no part of the value'),
    list({ authorization: `Bearer ${key}` }, 200, 'the bearer'),
    list({ authorization: `bearer ${key}` }, 200, "a scheme's name has no case"),
    list({ 'anchor-api-key': key, 'authorization': 'Basic eDp5' }, 200, 'beside another scheme'),
    list({ 'anchor-api-key': key, 'authorization': 'Bearer wrong' }, 200, 'our own header wins'),
  ]));

test('what is no key is refused', () => {
  const turned = key.replace(/[a-z]/i, (c) =>
    /[a-z]/.test(c) ? c.toUpperCase() : c.toLowerCase(),
  );
  return check(server, [
    list({}, 401, 'none'),
    list({ 'anchor-api-key': '' }, 401, 'an empty one'),
    list({ 'anchor-api-key': 'wrong' }, 401, 'a wrong one'),
    list({ 'anchor-api-key': key.slice(0, -1) }, 401, 'all but its last character'),
    list({ 'anchor-api-key': key.slice(1) }, 401, 'all but its first character'),
    list({ 'anchor-api-key': `${key}0` }, 401, 'one character more'),
    list({ 'anchor-api-key': key + key }, 401, 'twice'),
    list({ 'anchor-api-key': `${key}, ${key}` }, 401, 'a list'),
    list({ 'anchor-api-key': turned }, 401, 'in another case'),
    list({ 'anchor-api-key': `Bearer ${key}` }, 401, 'with a scheme'),
    list({ 'anchor-api-key': `"${key}"` }, 401, 'in quotes'),
    list({ 'anchor-api-key': `${key}%0a` }, 401, 'with an escaped line end'),
    list({ 'anchor-api-key': 'x'.repeat(15_000) }, 401, '15 KB'),
    list({ 'anchor-api-key': "' OR 1=1 --" }, 401, 'SQL'),
    list({ 'anchor-api-key': 'schlüssel' }, 401, 'no ASCII'),
    list({ 'anchor-api-key': 'wrong', 'authorization': `Bearer ${key}` }, 401, 'our header wins'),
    list({ authorization: key }, 401, 'without its scheme'),
    list({ authorization: `Basic ${key}` }, 401, 'another scheme'),
    list({ authorization: `Bearer${key}` }, 401, 'no blank'),
    list({ authorization: 'Bearer ' }, 401, 'nothing behind the scheme'),
    list({ authorization: `Bearer ${key} ${key}` }, 401, 'two behind the scheme'),
    list({ 'x-api-key': key }, 401, 'another header'),
    list({ cookie: `anchor-api-key=${key}` }, 401, 'a cookie'),
  ]);
});

test('of two keys none is taken', async () => {
  const twice = [`anchor-api-key: ${key}`, `anchor-api-key: ${key}`];
  const text = requestText('GET /v1/task HTTP/1.1', [...twice, 'Connection: close']);
  mustTell(await exchange(server.url, text), [401]);
});

test('only a WebSocket may carry the key in its address', () => {
  const row = (query: string): Scenario => ({
    call: 'GET /v1/task',
    key: null,
    query,
    status: 401,
  });
  return check(server, [row(`apiKey=${key}`), row(`anchor-api-key=${key}`), row(`token=${key}`)]);
});

test('a key that cannot be a header is refused before it is one', async () => {
  const raw = (...headers: string[]): Promise<Awaited<ReturnType<typeof exchange>>> =>
    exchange(server.url, requestText('GET /v1/task HTTP/1.1', [...headers, 'Connection: close']));
  mustTell(await raw(`anchor-api-key: ${'x'.repeat(1024 * 1024)}`), [431]);
  mustTell(await raw(`anchor-api-key: ${key}\r\n\tmore`), [400]);
  mustTell(await raw(`anchor-api-key: ${key}\n`), [400]);
  mustTell(await raw(`anchor-api-key: ${key}\0`), [400]);
  const [both] = await raw(`anchor-api-key: ${key}`, 'anchor-api-key: wrong');
  assert.ok([200, 400, 401].includes(both?.status ?? 0), 'the first counts, or none');
  const [wrongFirst] = await raw('anchor-api-key: wrong', `anchor-api-key: ${key}`);
  assert.ok([400, 401].includes(wrongFirst?.status ?? 0), 'a wrong one is not passed over');
});

test('without a key one learns nothing, not even which operations there are', () =>
  check(server, [
    { call: 'GET /v1/task', key: null, status: 401 },
    { call: 'POST /v1/task', key: null, body: 'not even JSON', status: 401 },
    {
      call: 'POST /v1/task',
      key: null,
      headers: { 'content-type': 'text/plain' },
      body: 'a',
      status: 401,
    },
    { call: 'GET /v1/profiles', key: null, status: 401 },
  ]));

test('what anybody may see needs no key, and takes a wrong one', () =>
  check(
    server,
    ['/health', '/ready', '/metrics', '/openapi.yaml'].flatMap((at) => [
      { call: `GET ${at}`, key: null, status: 200 },
      { call: `GET ${at}`, key: 'wrong', status: 200 },
    ]),
  ));

test('keys are made, listed and revoked while the server runs', async () => {
  const data = ['--data', server.dataDir];
  const second = await server.createKey('second', 'laptop');
  secrets.push(second);
  assert.notEqual(second, key);
  const call = 'GET /v1/task';
  await check(server, [{ call, key: second, status: 200 }]);

  const listing = await capstan('keys', 'list', ...data);
  assert.ok(listing.includes('laptop'), `the list names the key:\n${listing}`);
  assert.ok(!listing.includes(second) && !listing.includes(key), 'the list shows no key');
  assert.ok(
    !readFileSync(path.join(server.dataDir, 'capstan.db')).includes(second),
    'nor the disk',
  );

  await revokeKey(server, 'laptop');
  await check(server, [{ call, key: second, status: 401 }]);
  await play(server, { call, status: 200 });
});

test('no key is in the log, right or wrong', () => {
  assert.ok(server.log.length > 0, 'there is a log');
  const told = server.log.filter((each) => secrets.some((secret) => each.includes(secret)));
  assert.deepEqual(told, []);
});
