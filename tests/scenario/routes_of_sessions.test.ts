// Every route of sessions: its good answer, whole, and everything it must stand. What may be said
// over their WebSockets stands in websocket.test.ts and cdp.test.ts.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/sessions.ts';
import { quiet } from '../support/settings.ts';
import { browserConfigFields, mustStandAll, type Route, sessionConfigFields } from './matrix.ts';
import { check, play, revokedKey, type Scenario, send, unknownId } from './scenario.ts';
import { anything, flag, number, type Shape, text, time, uuid } from './shape.ts';

const server = await startServer({ config: quiet({ browser: { warm_headless: 1 } }) });
after(() => server.stop());
const keys = { foreign: await server.createKey('foreign'), revoked: await revokedKey(server) };
const tagged = { session: { tags: ['one', 'two'] } };
const { id: sessionId, cdp_url: cdpUrl } = await openSession(server, { body: tagged });
const cdpQuery = new URL(cdpUrl).search.slice(1);

const stand = (route: Route): Promise<void> => mustStandAll(server, route, keys);

const address = (rest: RegExp): RegExp =>
  new RegExp(`^${server.url.replace('http', 'ws').replaceAll('.', '\\.')}${rest.source}$`);

const configuration = {
  session: {
    'initial_url?': text,
    'tags': [text],
    'recording': { active: flag },
    'proxy?': anything,
    'timeout': { max_duration: 20, idle_timeout: 5 },
    'live_view': { read_only: false, one_time_url: false },
  },
  browser: { headless: { active: true }, viewport: { width: 1440, height: 900 } },
} satisfies Shape;
const session = {
  'session_id': uuid,
  'team_id': uuid,
  'duration': number,
  'status': /^(running|completed|idle_timeout|max_duration|crashed|stopped)$/,
  'credits_used': 0,
  configuration,
  'playground': false,
  'proxy_bytes': 0,
  'limits_met': [text],
  'tokens': {},
  'steps': 0,
  'tags': [text],
  'created_at': time,
  'expires_at?': time,
  'ended_at?': time,
  'ended_by?': text,
  'task_initiated': false,
} satisfies Shape;

test('POST /v1/sessions', async () => {
  const call = 'POST /v1/sessions';
  await stand({
    call,
    body: {},
    fields: { ...sessionConfigFields('session'), ...browserConfigFields('browser') },
  });
  const token = /\/\?sessionId=[0-9a-f-]{36}&token=[\w-]{43,}/;
  const link = new RegExp(`^${server.url.replaceAll('.', '\\.')}/live/[0-9a-f]{64}$`);
  const shape = { data: { id: uuid, cdp_url: address(token), live_view_url: link } };
  const headful = { headless: { active: false } };
  const warnings = [
    'browser.adblock has no effect yet',
    'identities has no effect yet',
  ];
  for (const [body, told] of [
    [undefined],
    [{}],
    [{ identities: [], browser: { adblock: { active: true }, ...headful } }, warnings],
  ] as const) {
    const given = body === undefined ? {} : { body };
    const warned: Shape = { data: { ...shape.data, ...(told && { warnings: [text] }) } };
    const made = await play(server, { call, ...given, status: 200, shape: warned });
    assert.deepEqual(made.body.data.warnings, told);
    assert.equal(new URL(made.body.data.cdp_url).searchParams.get('sessionId'), made.body.data.id);
    const at = { sessionId: made.body.data.id };
    await play(server, { call: 'DELETE /v1/sessions/{sessionId}', at, status: 200 });
  }
});

test('GET /v1/sessions/{sessionId}', async () => {
  const call = 'GET /v1/sessions/{sessionId}';
  const at = { sessionId };
  const running = { ...session, session_id: sessionId, status: 'running' };
  await check(server, [{ call, at, status: 200, shape: { data: running } }]);
  await stand({ call, at });
  const { body } = await play(server, { call, at, status: 200 });
  assert.deepEqual(body.data.tags, ['one', 'two']);
  assert.equal(body.data.ended_by, undefined);
});

test('GET /v1/sessions/all/status', async () => {
  const call = 'GET /v1/sessions/all/status';
  const item: Shape = { session_id: uuid, status: 'running', tags: [text], created_at: time };
  const some: Shape = { data: { count: 1, items: [item] } };
  const none: Shape = { data: { count: 0, items: [anything] } };
  const row = (query: string, shape: Shape): Scenario => ({ call, query, status: 200, shape });
  const rows = [
    row('tags=one', some),
    row('tags=three,two', some),
    row('tags=three', none),
    row('created_from=2020-01-01', some),
    row('created_to=2020-01-01', none),
    row('created_from=2020-01-01T00:00:00.000Z&created_to=2999-01-01T00:00:00Z', some),
    row('task_initiated=false', some),
    row('task_initiated=true', none),
    row('playground=true', none),
    row('playground=false&proxy=false&extra_stealth=false', some),
    row('domains=example.com', none),
    row('batch_id=a', none),
    row('profile_name=a', none),
    row('unknown=1', some),
  ];
  await check(server, [{ call, status: 200, shape: some }, ...rows]);
  await check(server, [{ call, key: keys.foreign, status: 200, shape: none }]);
  await stand({
    call,
    queryFields: {
      created_from: 'date',
      created_to: 'date',
      task_initiated: 'flag',
      playground: 'flag',
      proxy: 'flag',
      extra_stealth: 'flag',
    },
  });
});

test('GET /v1/sessions/{sessionId}/pages', async () => {
  const call = 'GET /v1/sessions/{sessionId}/pages';
  const at = { sessionId };
  const page = { id: /^[0-9A-F]+$/, title: text, url: 'about:blank', frontend_url: text };
  const { body } = await play(server, {
    call,
    at,
    status: 200,
    shape: { data: { items: [page] } },
  });
  assert.equal(body.data.items.length, 1, 'a session begins with one page');
  await stand({ call, at });
});

test('GET /json/version', async () => {
  const call = 'GET /json/version';
  const shape = {
    'Browser': /^Chrome\/\d+(\.\d+)*$/,
    'Protocol-Version': '1.3',
    'User-Agent': /^(?!.*Headless).*Chrome\/\d+/,
    'webSocketDebuggerUrl': address(/\/\?sessionId=[0-9a-f-]{36}&token=[\w-]+/),
  };
  const query = `sessionId=${sessionId}`;
  await check(server, [
    { call, query, status: 200, shape },
    { call, key: null, query: cdpQuery, status: 200, shape },
    { call, key: null, query: `${query}&apiKey=${server.key}`, status: 200, shape },
    { call: `${call}/`, query, status: 200, shape },
  ]);
  await refuseStrangers(call);
});

test('GET /json/list', async () => {
  const call = 'GET /json/list';
  const page = {
    id: /^[0-9A-F]+$/,
    type: 'page',
    title: text,
    url: 'about:blank',
    webSocketDebuggerUrl: address(/\/devtools\/page\/[0-9A-F]+\?sessionId=[0-9a-f-]{36}&token=\S+/),
  };
  const query = `sessionId=${sessionId}`;
  await check(server, [
    { call, query, status: 200, shape: [page] },
    { call, key: null, query: cdpQuery, status: 200, shape: [page] },
  ]);
  await check(server, [{ call, status: 400, says: 'sessionId' }]);
  await refuseStrangers(call);
});

const places = ['GET /', 'GET /devtools/browser', 'GET /devtools/browser/{browserId}'].concat([
  'GET /devtools/page/{targetId}',
]);
for (const call of places) {
  test(`${call} without an upgrade`, async () => {
    const at = { browserId: unknownId, targetId: await targetOf(sessionId) };
    const answer = await send(server, { call, at, query: `sessionId=${sessionId}`, status: 426 });
    assert.equal(answer.status, 426, answer.text);
    assert.match(answer.headers['upgrade'] ?? '', /websocket/i);
    await refuseStrangers(call, at);
  });
}

async function targetOf(id: string): Promise<string> {
  const call = 'GET /v1/sessions/{sessionId}/pages';
  const { body } = await play(server, { call, at: { sessionId: id }, status: 200 });
  return body.data.items[0].id;
}

/** A session's address is good for its own key or token, and for nobody else. */
async function refuseStrangers(call: string, at: Record<string, string> = {}): Promise<void> {
  const query = `sessionId=${sessionId}`;
  const token = new URLSearchParams(cdpQuery).get('token') ?? '';
  await check(server, [
    { call, at, key: null, status: 401 },
    { call, at, key: null, query, status: 401 },
    { call, at, key: null, query: `${query}&token=`, status: 401 },
    { call, at, key: null, query: `${query}&token=${token.slice(1)}`, status: 401 },
    { call, at, key: null, query: `${query}&apiKey=${token}`, status: 401 },
    { call, at, key: null, query: `${query}&token=${server.key}`, status: 401 },
    { call, at, key: null, query: `sessionId=${unknownId}&token=${token}`, status: 401 },
    { call, at, key: null, query: `token=${token}`, status: 401 },
    { call, at, key: keys.revoked, query, status: 401 },
    { call, at, key: keys.foreign, query, status: 404 },
    { call, at, query: `sessionId=${unknownId}`, status: 404 },
    { call, at, query: 'sessionId=no', status: 404 },
  ]);
}

test('DELETE /v1/sessions/{sessionId}', async () => {
  const call = 'DELETE /v1/sessions/{sessionId}';
  const at = { sessionId };
  await stand({ call, at });
  const shape = { data: { status: text } };
  await play(server, { call, at, status: 200, shape });
  await play(server, { call, at, status: 200, shape });
  const ended = { ...session, status: 'completed', ended_by: text, ended_at: time };
  const get = 'GET /v1/sessions/{sessionId}';
  await play(server, { call: get, at, status: 200, shape: { data: ended } });
  await stand({ call, at });
  await stand({ call: get, at });
  await check(server, [
    { call: 'GET /v1/sessions/{sessionId}/pages', at, status: 404 },
    { call: 'GET /json/list', key: null, query: cdpQuery, status: 401 },
  ]);
});

test('DELETE /v1/sessions/all', async () => {
  const call = 'DELETE /v1/sessions/all';
  await stand({ call });
  const create = { call: 'POST /v1/sessions', status: 200 };
  const ours = [await play(server, create), await play(server, create)];
  const theirs = await play(server, { ...create, key: keys.foreign });
  await play(server, { call, status: 200, shape: { data: { status: text } } });
  const statusOf = async (id: string, key: string): Promise<string> => {
    const get = 'GET /v1/sessions/{sessionId}';
    return (await play(server, { call: get, at: { sessionId: id }, key, status: 200 })).body.data
      .status;
  };
  for (const { body } of ours) assert.equal(await statusOf(body.data.id, server.key), 'completed');
  assert.equal(await statusOf(theirs.body.data.id, keys.foreign), 'running', "others' go on");
  await play(server, { call, key: keys.foreign, status: 200 });
});

test('what this file opened is gone', async () => {
  const isNoneOpen = async (): Promise<boolean> =>
    (await server.metric('capstan_sessions_open')) === 0;
  await eventually('all browsers have ended', isNoneOpen, 10_000);
});
