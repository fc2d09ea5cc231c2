// What a session may be asked for: its first page, limits, tags, window and proxy.
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

const custom = { active: false, type: 'custom', username: 'u', password: 'secret' };
const proxied = (proxy: unknown): object => ({ session: { proxy } });

test('a custom proxy is PROTOCOL://HOST:PORT with a name and a password', async () => {
  const servers = ['', 'proxy.example.com', 'proxy.example.com:3128', 'http://proxy.example.com']
    .concat(['http://proxy.example.com/', 'http://proxy.example.com:3128/path', 'http://:3128'])
    .concat(['http://proxy.example.com:', 'http://proxy.example.com:99999', 'http://a:0'])
    .concat(['ftp://proxy.example.com:21', 'socks4://a:1080', 'file:///a:1', 'http://u:p@a:3128'])
    .concat(['http://a b:3128', 'http://a\r\nX: y:3128', 'http://a:3128\r\nX: y', 'http://a:31x8'])
    .concat([`http://${'a'.repeat(70_000)}:3128`, 'http://a?b:1', 'http://a#b:1', 'HTTP:a:1']);
  await check(server, [
    ...servers.map((each) => refused(proxied({ ...custom, server: each }), 'session.proxy.server')),
    refused(proxied({ ...custom, server: 1 }), 'session.proxy.server'),
    refused(proxied(custom), 'session.proxy.server'),
    refused(proxied({ active: false, type: 'custom', server: 'http://a:1' }), 'proxy.username'),
    refused(proxied({ ...custom, server: 'http://a:1', username: 1 }), 'session.proxy.username'),
    refused(proxied({ ...custom, server: 'http://a:1', password: null }), 'session.proxy.password'),
    ...['a\r\nb', 'a\0b', 'x'.repeat(70_000)].flatMap((bad) => [
      refused(
        proxied({ ...custom, server: 'http://a:1', username: bad }),
        'session.proxy.username',
      ),
      refused(
        proxied({ ...custom, server: 'http://a:1', password: bad }),
        'session.proxy.password',
      ),
    ]),
  ]);
  for (const each of [
    'https://proxy.example.com:443',
    'socks5://127.0.0.1:1080',
    'http://[::1]:1',
  ]) {
    const { proxy } = (await configurationOf(proxied({ ...custom, server: each }))).configuration
      .session;
    assert.equal(proxy.server, each);
    assert.equal(proxy.username, 'u');
    assert.equal(proxy.password, undefined, 'a password is not told');
  }
  assert.ok(!server.log.some((line) => line.includes('secret')), 'nor is it in the log');
});

test("a proxy of the server's has a place that is known", async () => {
  const anchor = (fields: object): object => proxied({ active: false, ...fields });
  const texts = ['xx', 'KP', 'kp', 'US', 'usa', '', ' us', 'u', 'u\0'];
  await check(server, [
    ...texts.map((code) => refused(anchor({ country_code: code }), 'session.proxy.country_code')),
    refused(anchor({ country_code: 1 }), 'session.proxy.country_code'),
    refused(anchor({ region: 1 }), 'session.proxy.region'),
    refused(anchor({ city: [] }), 'session.proxy.city'),
    refused(anchor({ region: 'x'.repeat(70_000) }), 'session.proxy.region'),
    refused(anchor({ city: 'x'.repeat(70_000) }), 'session.proxy.city'),
    refused(anchor({ type: 'tor' }), 'session.proxy.type'),
    refused(anchor({ type: 1 }), 'session.proxy.type'),
    refused(proxied({}), 'session.proxy.active'),
    refused(proxied({ active: 'no' }), 'session.proxy.active'),
    refused(proxied([]), 'session.proxy'),
  ]);
  for (const type of ['anchor_proxy', 'anchor_residential', 'anchor_mobile', 'anchor_gov']) {
    await configurationOf(anchor({ type, country_code: 'gb' }));
  }
  const placed = { country_code: 'us', region: 'ca', city: 'los angeles' };
  const { proxy } = (await configurationOf(anchor(placed))).configuration.session;
  assert.deepEqual(proxy, { active: false, ...placed });
});

test('a proxy that would be used is refused, because none is built yet', () =>
  check(server, [
    refused(proxied({ active: true }), 'session.proxy.active'),
    refused(proxied({ ...custom, active: true, server: 'http://a:1' }), 'session.proxy.active'),
  ]));

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
