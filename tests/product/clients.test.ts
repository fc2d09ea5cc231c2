// One browser session and those who drive it: Playwright, puppeteer-core and bare DevTools clients.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DevToolsClient } from '../support/cdp.ts';
import { eventually, within } from '../support/eventually.ts';
import { chromium, puppeteer } from '../support/packages.ts';
import { startServer } from '../support/server.ts';
import { endSession, openSession, sessionHasEnded, statusOf } from '../support/sessions.ts';
import { startSite } from '../support/site.ts';

const server = await startServer();
const site = await startSite();
after(() => site.stop());
after(() => server.stop());

const limit = { timeout: 90_000 };

const headless = { browser: { headless: { active: true } } };

test('Playwright and puppeteer work in one session at the same time', limit, async () => {
  const { id, cdp_url: address } = await openSession(server, { body: headless });
  const [playwright, puppet] = await Promise.all([
    chromium.connectOverCDP(address),
    puppeteer.connect({ browserWSEndpoint: address, defaultViewport: null }),
  ]);
  const ours = playwright.contexts()[0]?.pages()[0];
  const [theirs] = await puppet.pages();
  assert.ok(ours && theirs);

  await ours.goto(`${site.url}/form`);
  await theirs.waitForSelector('input[name=name]');
  await theirs.type('input[name=name]', 'Grace');
  await ours.getByRole('button').click();
  assert.equal(await ours.locator('#greeting').innerText(), 'Hello, Grace');

  // Both at once, and each gets its own answers.
  const both = Array.from({ length: 50 }, async (_, index) => {
    const [one, other] = await Promise.all([
      ours.evaluate((number) => `playwright ${number}`, index),
      theirs.evaluate((number) => `puppeteer ${number}`, index),
    ]);
    assert.deepEqual([one, other], [`playwright ${index}`, `puppeteer ${index}`]);
  });
  await Promise.all(both);

  await playwright.close();
  assert.equal(await theirs.title(), 'Answer', 'one goes and the other works on');
  assert.equal(await statusOf(server, id), 'running');
  await puppet.disconnect();
  assert.equal(await statusOf(server, id), 'running');

  const again = await chromium.connectOverCDP(address);
  assert.equal(await again.contexts()[0]?.pages()[0]?.title(), 'Answer', 'the page has stayed');
  await again.close();
  await endSession(server, id);
});

test('no client gets what is meant for another', limit, async () => {
  const { id, cdp_url: address } = await openSession(server, { body: headless });
  const [curious, quiet] = await Promise.all([
    DevToolsClient.connect(address),
    DevToolsClient.connect(address),
  ]);
  const attachment = await curious.attach();
  await curious.call('Page.enable', {}, attachment);
  await curious.call('Target.setDiscoverTargets', { discover: true });
  await curious.call('Page.navigate', { url: `${site.url}/` }, attachment);
  for (const event of ['Target.targetInfoChanged', 'Page.loadEventFired']) {
    const isTold = () => curious.received.some(({ method }) => method === event);
    await eventually(`who asked for it is told ${event}`, isTold, 10_000);
  }

  // Both count their commands from 1, and each is answered its own.
  const targets = await quiet.call('Target.getTargets');
  const version = await curious.call('Browser.getVersion');
  assert.ok(targets.targetInfos && version.product);
  const told = quiet.received.map(({ id, method }) => id ?? method);
  assert.deepEqual(told, [1], 'who asked for nothing else was told nothing else');

  const foreign = await quiet.ask('Runtime.evaluate', { expression: '1' }, attachment);
  assert.match(foreign.error?.message ?? '', /session/i, 'an attachment serves its owner alone');

  await curious.close();
  assert.ok(await quiet.call('Browser.getVersion'));
  await quiet.close();
  await endSession(server, id);
});

test('a client that closes the browser ends the session as completed', limit, async () => {
  const { id, cdp_url: address } = await openSession(server, { body: headless });
  const [closer, witness] = await Promise.all([
    DevToolsClient.connect(address),
    DevToolsClient.connect(address),
  ]);
  await closer.call('Browser.close');
  await within('both clients are let go', 10_000, Promise.all([closer.closed, witness.closed]));
  assert.equal(await sessionHasEnded(server, id), 'completed');
});

test('an ended session lets its clients go and takes no new ones', limit, async () => {
  const { id, cdp_url: address } = await openSession(server, { body: headless });
  const client = await DevToolsClient.connect(address);
  await endSession(server, id);
  await within('the client is let go', 10_000, client.closed);
  await assert.rejects(DevToolsClient.connect(address), /refused/);
});

test('a client can speak to one page alone', limit, async () => {
  const body = { ...headless, session: { initial_url: `${site.url}/form` } };
  const { id, cdp_url: address } = await openSession(server, { body });
  const query = new URL(address).search;
  const list = await server.request('GET', `/json/list${query}`);
  assert.equal(list.status, 200, list.text);
  const { id: target, type, url } = list.body[0];
  assert.deepEqual([type, url], ['page', `${site.url}/form`]);

  const page = await DevToolsClient.connect(`${server.url}/devtools/page/${target}${query}`);
  assert.equal(await page.evaluate('document.title'), 'Form');
  await page.call('Page.enable');
  await page.call('Page.navigate', { url: `${site.url}/` });
  await eventually(
    'the page tells of its loading',
    () => page.received.some(({ method }) => method === 'Page.loadEventFired'),
    10_000,
  );
  assert.ok(page.received.every(({ sessionId }) => sessionId === undefined));
  await page.close();

  const pages = await server.request('GET', `/v1/sessions/${id}/pages`);
  const [item] = pages.body.data.items;
  assert.deepEqual([item.id, item.title, item.url], [target, 'The harbour', `${site.url}/`]);
  await endSession(server, id);
});

test('the ways in that clients know all lead to the session', limit, async () => {
  const { id, cdp_url: address } = await openSession(server, { body: headless });
  const { search, searchParams } = new URL(address);
  const withKey = `?apiKey=${server.key}&sessionId=${id}`;
  const version = await server.request('GET', `/json/version/${withKey}`);
  assert.equal(version.status, 200, version.text);
  assert.match(version.body.Browser, /^Chrome\//);

  for (const way of [
    version.body.webSocketDebuggerUrl,
    `${server.url}/${withKey}`,
    `${server.url}/devtools/browser${search}`,
    `${server.url}/devtools/browser/${id}${search}`,
  ]) {
    const client = await DevToolsClient.connect(way);
    assert.match((await client.call('Browser.getVersion')).product, /Chrome/, way);
    await client.close();
  }
  const overHttp = await chromium.connectOverCDP(`${server.url}/${withKey}`);
  assert.equal(overHttp.contexts()[0]?.pages().length, 1);
  await overHttp.close();
  assert.equal(await statusOf(server, id), 'running');

  const token = searchParams.get('token') ?? '';
  assert.ok(token.length >= 32, 'the token is long');
  const { id: other } = await openSession(server, { body: headless });
  const refused = [
    `${server.url}/?sessionId=${other}&token=${token}`,
    `${server.url}/?sessionId=${id}&token=${token.slice(1)}`,
    `${server.url}/?sessionId=${id}`,
    `${server.url}/?sessionId=${id}&apiKey=${token}`,
  ];
  for (const way of refused) await assert.rejects(DevToolsClient.connect(way), /refused/);
  for (const path of ['/v1/sessions/all/status', `/v1/sessions/${id}`, '/v1/task']) {
    const asKey = await server.request('GET', path, { key: token });
    assert.equal(asKey.status, 401, `${path} with the token as a key`);
    const inQuery = await server.request('GET', `${path}?token=${token}`, { key: null });
    assert.equal(inQuery.status, 401, `${path} with the token in the query`);
  }
  await endSession(server, id);
  await endSession(server, other);
});

test('who names no session gets one for the time of the connection', limit, async () => {
  const address = server.url.replace('http', 'ws');
  const browser = await chromium.connectOverCDP(`${address}/?apiKey=${server.key}`);
  const page = browser.contexts()[0]?.pages()[0];
  await page?.goto(`${site.url}/`);
  assert.equal(await page?.title(), 'The harbour');
  const { body } = await server.request('GET', '/v1/sessions/all/status');
  const { session_id: id } = body.data.items.at(-1); // the newest
  await browser.close();
  assert.equal(await sessionHasEnded(server, id, 10_000), 'completed');
});
