// Proxies: what may be asked for, where it is checked, and that no password is ever told or kept
// as it is.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { descendantsOf } from '../support/processes.ts';
import { dumpOf, filesBelow, foundIn, wordsOf } from '../support/secrets.ts';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { base64, deployTask, outputOf, runTask } from '../support/tasks.ts';
import { check, play, type Scenario } from './scenario.ts';

/** Passwords that are nowhere else, so that they can be looked for everywhere. */
const ofCaller = `caller-${randomBytes(12).toString('hex')}`;
const ofExit = `exit-${randomBytes(12).toString('hex')}`;
const secrets = { "a caller's password": ofCaller, "an exit's password": ofExit };

const exits = `
[[egress.exits]]
country = "de"
server = "http://127.0.0.1:1"
[[egress.exits]]
country = "us"
server = "socks5://exit.example.com:1080"
username = "customer-{country}[-{region}][-{city}]"
password = "${ofExit}"
`;

const server = await startServer({ config: quiet() + exits });
after(() => server.stop());

const create = 'POST /v1/sessions';
const proxied = (proxy: unknown): object => ({ session: { proxy } });
const refused = (proxy: unknown, says: string | RegExp): Scenario => ({
  call: create,
  body: proxied(proxy),
  status: 400,
  says,
});
const custom = {
  active: true,
  type: 'custom',
  server: 'http://proxy.example.com:3128',
  username: 'u',
  password: ofCaller,
};
const unserved = /no exit .*\(fr\).*egress\.exits/;

function withoutPassword({ password: _, ...rest }: typeof custom): object {
  return rest;
}

/** Opens a session, tells how its proxy is configured, and ends it. */
async function toldProxy(proxy: object): Promise<any> {
  const made = await play(server, { call: create, body: proxied(proxy), status: 200 });
  const at = { sessionId: made.body.data.id };
  const call = 'GET /v1/sessions/{sessionId}';
  const running = (await play(server, { call, at, status: 200 })).body.data;
  await play(server, { call: 'DELETE /v1/sessions/{sessionId}', at, status: 200 });
  const ended = (await play(server, { call, at, status: 200 })).body.data;
  const told = running.configuration.session.proxy;
  assert.deepEqual(ended.configuration.session.proxy, told, 'the row tells the same');
  assert.equal(running.proxy_bytes, 0, 'nothing was opened');
  assert.equal(ended.proxy_bytes, 0);
  return told;
}

test('a custom proxy is PROTOCOL://HOST:PORT', async () => {
  const servers = ['', 'proxy.example.com', 'proxy.example.com:3128', 'http://proxy.example.com']
    .concat(['http://proxy.example.com/', 'http://proxy.example.com:3128/path', 'http://:3128'])
    .concat(['http://proxy.example.com:', 'http://proxy.example.com:99999', 'http://a:0'])
    .concat(['ftp://proxy.example.com:21', 'socks4://a:1080', 'file:///a:1', 'http://u:p@a:3128'])
    .concat(['http://a b:3128', 'http://a\r\nX: y:3128', 'http://a:3128\r\nX: y', 'http://a:31x8'])
    .concat([`http://${'a'.repeat(70_000)}:3128`, 'http://a?b:1', 'http://a#b:1', 'HTTP:a:1'])
    .concat(['http://a%0d%0ab:1', 'http://a\\b:1', 'http://[::1:1', 'http://\u00e4.example:1']);
  const { server: _, ...nowhere } = custom;
  await check(server, [
    ...[true, false].flatMap((active) =>
      servers.map((each) => refused({ ...custom, active, server: each }, 'session.proxy.server')),
    ),
    refused({ ...custom, server: 1 }, 'session.proxy.server'),
    refused(nowhere, 'session.proxy.server is required'),
  ]);
  const good = ['https://proxy.example.com:443', 'socks5://127.0.0.1:1080', 'http://[::1]:1'];
  for (const each of good) {
    const told = await toldProxy({ ...custom, server: each });
    assert.deepEqual(told, { ...withoutPassword(custom), server: each });
  }
});

test('a custom proxy has a name and a password that its protocol can carry', () => {
  const { username: _, ...nameless } = custom;
  const socks = { ...custom, server: 'socks5://a:1080' };
  return check(server, [
    refused(nameless, 'session.proxy.username is required'),
    refused(withoutPassword(custom), 'session.proxy.password is required'),
    refused({ ...withoutPassword(custom), active: false }, 'session.proxy.password is required'),
    refused({ ...custom, username: 1 }, 'session.proxy.username'),
    refused({ ...custom, password: null }, 'session.proxy.password'),
    refused({ ...custom, username: 'a:b' }, /session\.proxy\.username .*colon/),
    refused({ ...custom, server: 'https://a:1', username: ':' }, 'session.proxy.username'),
    refused({ ...socks, username: 'x'.repeat(256) }, /session\.proxy\.username .*255 bytes/),
    refused({ ...socks, password: '\u00e4'.repeat(128) }, /session\.proxy\.password .*255 bytes/),
    refused({ ...socks, username: '' }, 'session.proxy.username'),
    ...['a\r\nb', 'a\0b', 'a\x7f', '\t', 'x'.repeat(1025), 'x'.repeat(70_000)].flatMap((bad) => [
      refused({ ...custom, username: bad }, 'session.proxy.username'),
      refused({ ...custom, password: bad }, 'session.proxy.password'),
    ]),
  ]);
});

test('what a protocol can carry is taken', async () => {
  await toldProxy({ ...custom, username: '', password: '' });
  await toldProxy({ ...custom, username: 'M\u00fcller !', password: 'p:\u20ac"\\' });
  const socks = { ...custom, server: 'socks5://a:1' };
  await toldProxy({ ...socks, username: 'a:b', password: 'x'.repeat(255) });
  await toldProxy({ ...custom, username: 'x'.repeat(1024), password: 'x'.repeat(1024) });
});

test('an anchor proxy has a place that is known', async () => {
  const codes = ['xx', 'KP', 'kp', 'US', 'usa', '', ' us', 'u', 'u\0'];
  const anchor = (fields: object): object => ({ active: true, ...fields });
  await check(server, [
    ...codes.map((code) => refused(anchor({ country_code: code }), 'session.proxy.country_code')),
    refused(anchor({ country_code: 1 }), 'session.proxy.country_code'),
    ...['region', 'city'].flatMap((field) =>
      [1, [], null, 'a\r\nb', 'a\0', ' ', '!?', 'x'.repeat(101), 'x'.repeat(70_000)].map((bad) =>
        refused(anchor({ [field]: bad }), `session.proxy.${field}`),
      ),
    ),
    refused(anchor({ type: 'tor' }), 'session.proxy.type'),
    refused(anchor({ type: 1 }), 'session.proxy.type'),
    refused({}, 'session.proxy.active'),
    refused({ active: 'no' }, 'session.proxy.active'),
    refused([], 'session.proxy'),
  ]);
});

test('an anchor proxy goes through an exit that serves its place, or is refused', async () => {
  await check(server, [
    refused({ active: true, country_code: 'fr' }, unserved),
    refused({ active: true, country_code: 'gb', region: 'Kent' }, '(gb, Kent)'),
    refused({ active: true, country_code: 'de', region: 'Hesse', city: 'Kassel' }, 'Kassel'),
  ]);
  const us = { active: true, type: 'anchor_proxy', country_code: 'us' };
  const named = [undefined, 'anchor_proxy', 'anchor_residential', 'anchor_mobile', 'anchor_gov'];
  for (const type of named) assert.deepEqual(await toldProxy({ active: true, type }), us);
  const place = { region: 'ca', city: 'los angeles' };
  assert.deepEqual(await toldProxy({ ...us, ...place }), { ...us, ...place });
  const de = { ...us, country_code: 'de' };
  assert.deepEqual(await toldProxy({ ...de, city: 'Kassel' }), de, 'no city without a region');
});

test('a proxy that is not active is checked and not used', async () => {
  const fr = { active: false, type: 'anchor_proxy', country_code: 'fr' };
  assert.deepEqual(await toldProxy(fr), fr);
  const inactive = { ...custom, active: false };
  assert.deepEqual(await toldProxy(inactive), withoutPassword(inactive));
});

test('sessions are found by whether they have a proxy', async () => {
  const made = await play(server, { call: create, body: proxied(custom), status: 200 });
  const count = async (query: string): Promise<number> => {
    const call = 'GET /v1/sessions/all/status';
    return (await play(server, { call, query, status: 200 })).body.data.count;
  };
  assert.equal(await count('proxy=true'), 1);
  assert.equal(await count('proxy=false'), 0);
  const at = { sessionId: made.body.data.id };
  await play(server, { call: 'DELETE /v1/sessions/{sessionId}', at, status: 200 });
});

/** Opens a session in its run, and returns how that session's proxy is configured. */
const opensSession = `
const base = process.env.ANCHORBROWSER_BASE_URL;
const headers = { 'content-type': 'application/json' };
export default async () => {
  const made = await fetch(base + '/v1/sessions', { method: 'POST', headers, body: '{}' });
  const { data } = await made.json();
  const found = await fetch(base + '/v1/sessions/' + data.id);
  return (await found.json()).data.configuration.session.proxy;
};
`;

test("a run takes its task's proxy, or that of its order as a whole", async () => {
  const browserConfiguration = { proxy: custom };
  await deployTask(server, 'with-proxy', opensSession, { browserConfiguration });
  assert.deepEqual(await outputOf(server, 'with-proxy'), withoutPassword(custom));
  const over = (proxy: object): object => ({ overrideBrowserConfiguration: { proxy } });
  const de = { active: true, type: 'anchor_proxy', country_code: 'de' };
  assert.deepEqual(await outputOf(server, 'with-proxy', over(de)), de, 'nothing of the other');
  const none = { ...de, active: false };
  assert.deepEqual(await outputOf(server, 'with-proxy', over(none)), none);
});

test('a run whose place no exit serves is refused before anything runs', async () => {
  const browserConfiguration = { proxy: { active: true, country_code: 'fr' } };
  await deployTask(server, 'of-nowhere', 'export default async () => 1;', { browserConfiguration });
  const row = (body: object): Scenario => ({
    call: 'POST /v1/task/run/{taskName}',
    at: { taskName: 'of-nowhere' },
    body,
    status: 400,
    says: unserved,
  });
  const over = (proxy: object): object => ({ overrideBrowserConfiguration: { proxy } });
  const again = over({ active: true, country_code: 'fr' });
  await check(server, [row({}), row({ async: true }), row(again)]);
  const none = over({ active: false });
  assert.equal(await outputOf(server, 'of-nowhere', none), 1, 'the order counts');
});

test('no answer about a task has the password, so whoever writes it back adds it', async () => {
  const body = {
    name: 'kept',
    language: 'typescript',
    code: base64('export default async () => 1;'),
    browserConfiguration: { proxy: custom },
  };
  const answers = [await play(server, { call: 'POST /v1/task', body, status: 200 })];
  const at = { taskId: answers[0]!.body.data.id, taskVersion: '1' };
  const call = async (call: string, given: object = {}): Promise<any> => {
    answers.push(await play(server, { call, at, status: 200, ...given }));
    return answers.at(-1)!.body.data;
  };
  await call('POST /v1/task/{taskId}/deploy', { body: {} });
  await call('POST /v1/task/{taskId}/draft', { body });
  for (const rest of ['', '/versions', '/latest', '/draft', '/{taskVersion}']) {
    await call(`GET /v1/task/{taskId}${rest}`);
  }
  await call('GET /v1/task');
  const ran = { at: { taskName: 'kept' }, body: { version: '1' } };
  const { executionResultId } = await call('POST /v1/task/run/{taskName}', ran);
  await call('GET /v1/task/{taskId}/executions');
  const execution = { at: { ...at, executionId: executionResultId } };
  await call('GET /v1/task/{taskId}/executions/{executionId}', execution);
  await call('GET /v1/task/{taskId}/executions/{executionId}/logs', execution);
  for (const { text } of answers) {
    assert.ok(!/v1:|"password"/.test(text), `neither sealed nor as it was: ${text}`);
    assert.deepEqual(foundIn({ text }, secrets), []);
  }
  const read = (await call('GET /v1/task/{taskId}/latest')).browserConfiguration;
  assert.deepEqual(read, { proxy: withoutPassword(custom) });
  await check(server, [
    {
      call: 'POST /v1/task/{taskId}/draft',
      at,
      body: { ...body, browserConfiguration: read },
      status: 400,
      says: 'browserConfiguration.proxy.password is required',
    },
  ]);
});

test('a password is neither in the database nor in the log nor with any process', async () => {
  const made = await play(server, { call: create, body: proxied(custom), status: 200 });
  const stays = `export default () => new Promise((done) => setTimeout(done, 60_000));`;
  const browserConfiguration = { proxy: custom };
  const taskId = await deployTask(server, 'stays', stays, { browserConfiguration });
  const { executionResultId } = await runTask(server, 'stays', { async: true });
  const dump = dumpOf(server.dataDir);
  assert.ok(dump.includes('proxy.example.com:3128'), 'the proxies are there');
  assert.match(dump, /\\"password\\":\\"v1:[0-9a-f]{8}:/, 'with their passwords, sealed');
  const files = filesBelow(server.dataDir);
  assert.ok('capstan.db-wal' in files, 'what is deleted or not merged yet is there');
  const processes = descendantsOf(server.pid);
  assert.ok(processes.length > 1, 'there are a browser and a run');
  const log = server.log.join('\n');
  const places = { dump, log, ...files, ...wordsOf(processes) };
  assert.deepEqual(foundIn(places, secrets), []);
  const at = { taskId, executionId: executionResultId };
  await play(server, {
    call: 'POST /v1/task/{taskId}/executions/{executionId}/cancel',
    at,
    status: 200,
  });
  const sessionId = made.body.data.id;
  await play(server, { call: 'DELETE /v1/sessions/{sessionId}', at: { sessionId }, status: 200 });
});
