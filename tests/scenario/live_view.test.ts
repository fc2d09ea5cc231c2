// The routes around the live view: its links, tokens and claims. What is watched and driven there
// stands in the product tests.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/sessions.ts';
import { quiet } from '../support/settings.ts';
import { mustStandAll } from './matrix.ts';
import { check, play, revokedKey, send } from './scenario.ts';
import { type Shape, text, uuid } from './shape.ts';

const server = await startServer({ config: quiet({ browser: { warm_headless: 1 } }) });
after(() => server.stop());
const keys = { foreign: await server.createKey('foreign'), revoked: await revokedKey(server) };
const { id: sessionId, live_view_url: link } = (await openSession(server)) as any;
const token: string = link.slice(-64);
const unknown = '0'.repeat(64);
const secret = /^[0-9a-f]{64}$/;

async function newTicket(): Promise<string> {
  const at = { token };
  const claim = { call: 'POST /live/{token}/claim', at, key: null, body: {}, status: 200 };
  return (await play(server, claim)).body.data.ticket;
}

test('POST /v1/sessions/{sessionId}/tokens', async () => {
  const call = 'POST /v1/sessions/{sessionId}/tokens';
  const at = { sessionId };
  for (const scope of ['live_view', 'live_view_read_only']) {
    const link = /\/live\/[0-9a-f]{64}$/;
    const shape: Shape = { data: { token: secret, scopes: [text], live_view_url: link } };
    const made = await play(server, { call, at, body: { scopes: [scope] }, status: 200, shape });
    assert.deepEqual(made.body.data.scopes, [scope]);
  }
  await mustStandAll(server, { call, at, body: { scopes: ['live_view'] } }, keys);
  for (const scopes of [undefined, null, [], ['no'], ['live_view', 'cdp'], 'live_view', [1]]) {
    await check(server, [{ call, at, body: { scopes }, status: 400, says: 'scopes' }]);
  }
  const cdpUrl = /^ws:\/\/.*\/\?sessionId=.*&token=[0-9a-f]{64}$/;
  const shape: Shape = { data: { token: secret, scopes: [text], cdp_url: cdpUrl } };
  await check(server, [{ call, at, body: { scopes: ['cdp'] }, status: 200, shape }]);
});

test('a session has a bounded number of links and of tokens', async () => {
  const { id } = await openSession(server);
  const call = 'POST /v1/sessions/{sessionId}/tokens';
  const at = { sessionId: id };
  for (const scope of ['live_view', 'cdp']) {
    const body = { scopes: [scope] };
    let made = await send(server, { call, at, body, status: 200 });
    let count = 0;
    for (; made.status === 200 && count < 101; ++count) {
      made = await send(server, { call, at, body, status: 200 });
    }
    assert.equal(made.status, 429, `${count} of ${scope}`);
    assert.match(made.text, /at most 100/);
  }
});

test('DELETE /v1/sessions/{sessionId}/tokens/{token}', async () => {
  const call = 'DELETE /v1/sessions/{sessionId}/tokens/{token}';
  const body = { scopes: ['live_view'] };
  const make = 'POST /v1/sessions/{sessionId}/tokens';
  const made = await play(server, { call: make, at: { sessionId }, body, status: 200 });
  const at = { sessionId, token: made.body.data.token };
  await mustStandAll(server, { call, at }, keys);
  const status: Shape = { data: { status: 'success' } };
  await check(server, [
    { call, at, status: 200, shape: status },
    { call, at, status: 404, says: 'token' },
    { call, at: { sessionId, token: 'x'.repeat(5_000) }, status: 404, says: 'token' },
  ]);
});

test('GET /live/{token}', async () => {
  const call = 'GET /live/{token}';
  const page = await send(server, { call, at: { token }, key: null, status: 200 });
  assert.equal(page.status, 200);
  assert.match(page.text, /<canvas id="screen"/);
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'.*frame-ancestors/);
  assert.equal(page.headers['referrer-policy'], 'no-referrer');
  assert.equal(page.headers['cache-control'], 'no-store');
  for (const wrong of [unknown, 'x', 'x'.repeat(5_000), '%F0%9F%98%80']) {
    const dead = await send(server, { call, at: { token: wrong }, key: null, status: 404 });
    assert.equal(dead.status, 404, wrong);
    assert.match(dead.text, /leads nowhere/);
    assert.ok(!dead.text.includes(wrong) || wrong === 'x', 'what was asked for is not repeated');
  }
});

test('POST /live/{token}/claim', async () => {
  const call = 'POST /live/{token}/claim';
  const at = { token };
  const shape = { data: { ticket: secret, role: 'control', session_id: sessionId } };
  const claimed = await play(server, { call, at, key: null, body: {}, status: 200, shape });
  const { ticket } = claimed.body.data;
  const again = await play(server, { call, at, key: null, body: { ticket }, status: 200 });
  assert.equal(again.body.data.ticket, ticket);
  const other = await play(server, { call, at, key: null, body: { ticket: unknown }, status: 200 });
  assert.notEqual(other.body.data.ticket, ticket);
  await check(server, [
    { call, at, key: null, body: { ticket: 1 }, status: 400, says: 'ticket' },
    { call, at, key: null, body: { ticket: 'x'.repeat(200) }, status: 400, says: 'ticket' },
    { call, at: { token: unknown }, key: null, body: {}, status: 404 },
    { call, at, key: null, body: '{', status: 400 },
    {
      call,
      at,
      key: null,
      headers: { 'content-type': 'text/plain' },
      body: '{}',
      about: 'as a form of another site would send it',
      status: 415,
    },
  ]);
  assert.match(claimed.body.data.session_id, uuid);
});

test('GET /live/{token}/socket', async () => {
  const call = 'GET /live/{token}/socket';
  const at = { token };
  const ticket = await newTicket();
  await check(server, [
    { call, at, key: null, query: `ticket=${ticket}`, status: 426 },
    { call, at, key: null, status: 401, says: 'ticket' },
    { call, at, key: null, query: `ticket=${unknown}`, status: 401, says: 'ticket' },
    { call, at, key: null, query: `ticket=${'x'.repeat(5_000)}`, status: 401, says: 'ticket' },
    { call, at: { token: unknown }, key: null, query: `ticket=${ticket}`, status: 404 },
  ]);
});

test('POST /live/{token}/files', async () => {
  const call = 'POST /live/{token}/files';
  const at = { token };
  const ticket = await newTicket();
  const query = `ticket=${ticket}&chooser=1&name=a`;
  const headers = { 'content-type': 'application/octet-stream' };
  const row = { call, at, key: null, headers, body: 'bytes' };
  await check(server, [
    { ...row, query, status: 403, says: 'who drives' },
    { ...row, query: 'chooser=1&name=a', status: 401, says: 'ticket' },
    { ...row, query: `ticket=${unknown}&chooser=1&name=a`, status: 401, says: 'ticket' },
    { ...row, at: { token: unknown }, query, status: 404 },
  ]);
});

test('GET /live/{token}/recording', async () => {
  const call = 'GET /live/{token}/recording';
  const at = { token };
  const ticket = await newTicket();
  await check(server, [
    { call, at, key: null, status: 401, says: 'ticket' },
    { call, at, key: null, query: `ticket=${unknown}`, status: 401, says: 'ticket' },
    { call, at: { token: unknown }, key: null, query: `ticket=${ticket}`, status: 404 },
  ]);
  const early = await send(server, { call, at, key: null, query: `ticket=${ticket}`, status: 409 });
  assert.ok(early.status === 409 || early.status === 404, 'it goes on, or has just begun');
});

test('GET /v1/sessions/{sessionId}/thumbnail', async () => {
  const call = 'GET /v1/sessions/{sessionId}/thumbnail';
  const at = { sessionId };
  const picture = await send(server, { call, at, status: 200 });
  assert.equal(picture.status, 200, picture.text);
  assert.equal(picture.headers['content-type'], 'image/jpeg');
  assert.ok(picture.text.length > 500);
  await mustStandAll(server, { call, at }, keys);
});

test('GET /live-assets/{name}', async () => {
  const call = 'GET /live-assets/{name}';
  for (const [name, type] of [['page.js', /javascript/], ['page.css', /css/]] as const) {
    const file = await send(server, { call, at: { name }, key: null, status: 200 });
    assert.equal(file.status, 200);
    assert.match(String(file.headers['content-type']), type);
    assert.ok(file.text.length > 1_000);
  }
  for (const name of ['page.html', 'no.js', 'no', '..%2fpage.js']) {
    await check(server, [{ call, at: { name }, key: null, status: 404 }]);
  }
});

test('a one-time session has no other links', async () => {
  const body = {
    session: { live_view: { one_time_url: true } },
    browser: { headless: { active: false } },
  };
  const { id } = await openSession(server, { body });
  const call = 'POST /v1/sessions/{sessionId}/tokens';
  const scopes = ['live_view'];
  const row = { call, at: { sessionId: id }, body: { scopes }, status: 409, says: 'one viewer' };
  await check(server, [row]);
});
