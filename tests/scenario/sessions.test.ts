// What a session may be asked for: its first page, limits, tags and window.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { check, play, type Scenario } from './scenario.ts';

const server = await startServer({ config: quiet({ browser: { warm_headless: 1 } }) });
const site = createServer(({ url }, response) => {
  if (url === '/nothing') return response.writeHead(204).end();
  const disposition = url === '/file' ? { 'content-disposition': 'attachment' } : {};
  response.writeHead(200, { 'content-type': 'text/html', ...disposition });
  return response.end('<title>Here</title>');
});
await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
const page = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
after(async () => {
  site.close();
  site.closeAllConnections();
  await server.stop();
});

const create = 'POST /v1/sessions';
const refused = (body: object, says: string | RegExp): Scenario => ({
  call: create,
  body,
  status: 400,
  says,
});

/** Opens one, tells how it is configured, and ends it. */
async function configurationOf(body: object): Promise<any> {
  const made = await play(server, { call: create, body, status: 200 });
  const at = { sessionId: made.body.data.id };
  const found = await play(server, { call: 'GET /v1/sessions/{sessionId}', at, status: 200 });
  await play(server, { call: 'DELETE /v1/sessions/{sessionId}', at, status: 200 });
  return found.body.data;
}

test('a first page is on the web', () => {
  const urls = [
    '',
    ' ',
    'no',
    'example.com',
    '/a',
    '//example.com',
    'http:',
    'http://',
    'http:///a',
  ]
    .concat(['file:///etc/passwd', 'FILE:///etc/passwd', 'javascript:alert(1)', 'data:text/html,a'])
    .concat([
      'chrome://version',
      'chrome-extension://a/b',
      'view-source:http://127.0.0.1/',
      'ftp://a/',
    ])
    .concat([
      'blob:http://a/b',
      'ws://127.0.0.1/',
      'about:config',
      'about:blank#a',
      'devtools://devtools/',
    ])
    .concat(['http://user:pw@127.0.0.1/', 'http://user@127.0.0.1/', 'http://127.0.0.1/a b'])
    .concat([
      'http://127.0.0.1/\n',
      ' http://127.0.0.1/',
      'http://127.0.0.1:99999/',
      'http://[::1/',
    ])
    .concat(['http://ex\u00e4mple.com/', `http://127.0.0.1/${'a'.repeat(65_536)}`]);
  return check(
    server,
    urls.map((initial_url) => refused({ session: { initial_url } }, 'session.initial_url')),
  );
});

test('a session begins on its first page', async () => {
  const body = { session: { initial_url: page } };
  const made = await play(server, { call: create, body, status: 200 });
  const at = { sessionId: made.body.data.id };
  const list = { call: 'GET /v1/sessions/{sessionId}/pages', at, status: 200 };
  const [first, ...others] = (await play(server, list)).body.data.items;
  assert.equal(first.url, page);
  assert.deepEqual(others, []);
  const isLoaded = async (): Promise<boolean> =>
    (await play(server, list)).body.data.items[0].title === 'Here';
  await eventually('the page is loaded', isLoaded, 5_000);
  await play(server, { call: 'DELETE /v1/sessions/{sessionId}', at, status: 200 });
  const blank = await configurationOf({ session: { initial_url: 'about:blank' } });
  assert.equal(blank.configuration.session.initial_url, 'about:blank');
});

test('a session begins all the same if its first page does not', async () => {
  const urls = [`${page}nothing`, `${page}file`, 'http://127.0.0.1:1/', 'http://nowhere.invalid/'];
  for (const initial_url of urls) {
    const begun = performance.now();
    await configurationOf({ session: { initial_url } });
    const took = performance.now() - begun;
    assert.ok(took < 10_000, `${initial_url} takes ${took} ms`);
  }
});

test('limits are minutes, or -1 for none', async () => {
  for (const name of ['max_duration', 'idle_timeout']) {
    const bad = [0, -2, 10_081, 1e9, 0.5, '5', 2 ** 53, -(2 ** 31)];
    await check(
      server,
      bad.map((value) =>
        refused({ session: { timeout: { [name]: value } } }, `session.timeout.${name}`),
      ),
    );
  }
  const longest = { max_duration: 10_080, idle_timeout: 1 };
  const bounded = await configurationOf({ session: { timeout: longest } });
  assert.deepEqual(bounded.configuration.session.timeout, longest);
  const lasts = Date.parse(bounded.expires_at) - Date.parse(bounded.created_at);
  assert.ok(Math.abs(lasts - 10_080 * 60_000) < 60_000, `it expires after ${lasts} ms`);
  const endless = await configurationOf({ session: { timeout: { max_duration: -1 } } });
  assert.equal(endless.expires_at, undefined);
  assert.deepEqual(endless.configuration.session.timeout, { max_duration: -1, idle_timeout: 5 });
});

test('tags are texts, not too many and not too long', async () => {
  const bad: unknown[] = [[1], [null], [['a']], [''], ['x'.repeat(256)], ['ok', ''], 'a', { a: 1 }];
  const tooMany = Array.from({ length: 51 }, (_, i) => `t${i}`);
  const huge = Array.from({ length: 500 }, () => 'x'.repeat(10_000));
  await check(
    server,
    [...bad, tooMany, huge].map((tags) => refused({ session: { tags } }, 'session.tags')),
  );
  const most = Array.from({ length: 50 }, (_, i) => `${i}${'ä'.repeat(126)}`);
  for (const tags of [[], most, ['a', 'a'], ['<b>', "'", 'a b\n', '\u{1f600}']]) {
    const found = await configurationOf({ session: { tags } });
    assert.deepEqual(found.tags, tags);
    assert.deepEqual(found.configuration.session.tags, tags);
  }
});

test('a window has a size that a screen could have', async () => {
  const size = (width: unknown, height: unknown): object => ({
    browser: { viewport: { width, height } },
  });
  await check(server, [
    refused(size(0, 0), /browser\.viewport\.width.*browser\.viewport\.height/),
    refused(size(99, 900), 'browser.viewport.width'),
    refused(size(7681, 900), 'browser.viewport.width'),
    refused(size(1440, 99), 'browser.viewport.height'),
    refused(size(1440, 4321), 'browser.viewport.height'),
    refused(size(1e6, 1e6), 'browser.viewport'),
    refused(size('1440', 900), 'browser.viewport.width'),
    refused(size(1440.5, 900), 'browser.viewport.width'),
    refused(size(-1440, 900), 'browser.viewport.width'),
  ]);
  const { configuration } = await configurationOf({ browser: { viewport: { width: 800 } } });
  assert.deepEqual(configuration.browser.viewport, { width: 800, height: 900 });
  const big = await configurationOf(size(7680, 4320));
  assert.deepEqual(big.configuration.browser.viewport, { width: 7680, height: 4320 });
});

test('what does not go together is refused', () => {
  const live_view = { one_time_url: true };
  return check(server, [
    refused({ session: { live_view }, browser: { headless: { active: true } } }, 'one_time_url'),
  ]);
});

test('what AnchorBrowser knows and this server does not is passed over', async () => {
  const browser = {
    adblock: { active: true },
    popup_blocker: { active: true },
    captcha_solver: { active: false },
    profile: { name: 'p' },
    extensions: [],
    headless: { active: true, more: 1 },
    unheard_of: { a: [1, null] },
  };
  const body = {
    browser,
    session: { recording: { active: false }, volumes: [] },
    integrations: [],
  };
  const found = await configurationOf(body);
  assert.equal(found.configuration.session.recording.active, false);
});
