// What a session's configuration does to its browser.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DevToolsClient } from '../support/cdp.ts';
import type { Page } from '../support/packages.ts';
import { openPage, type OpenPage } from '../support/pages.ts';
import { startServer } from '../support/server.ts';
import { sessionOf } from '../support/sessions.ts';
import { startSite } from '../support/site.ts';

const server = await startServer();
const site = await startSite();
after(() => site.stop());
after(() => server.stop());

const limit = { timeout: 60_000 };

const open = (body: object): Promise<OpenPage> => openPage(server, body);

/** Width and height of the page as its scripts see it. */
function viewportOf(page: Page): Promise<number[]> {
  return page.evaluate('[innerWidth, innerHeight]') as Promise<number[]>;
}

/** Width and height of a PNG image. */
function sizeOf(png: Buffer): number[] {
  assert.equal(png.subarray(1, 4).toString(), 'PNG');
  return [png.readUInt32BE(16), png.readUInt32BE(20)];
}

for (const headless of [true, false]) {
  const kind = headless ? 'headless' : 'headful';

  test(`a ${kind} browser looks as people's browsers do`, limit, async () => {
    const body = { browser: { headless: { active: headless } } };
    const { id, browser, page, close } = await open(body);
    await page.goto(`${site.url}/`);
    const agent = await page.evaluate('navigator.userAgent');
    assert.match(`${agent}`, /^Mozilla\/5\.0 \(X11; Linux x86_64\) .* Chrome\/\d+\.0\.0\.0 Safari/);
    assert.match(browser.version(), /^\d+\.\d+\.\d+\.\d+$/);
    assert.deepEqual(await viewportOf(page), [1440, 900], 'the default viewport');
    assert.deepEqual(sizeOf(await page.screenshot()), [1440, 900]);
    assert.equal((await sessionOf(server, id)).configuration.browser.headless.active, headless);
    await close();
  });

  test(`a ${kind} browser has the viewport that was asked for`, limit, async () => {
    const viewport = { width: 800, height: 613 };
    const { page, close } = await open({ browser: { headless: { active: headless }, viewport } });
    assert.deepEqual(await viewportOf(page), [800, 613]);
    await page.goto(`${site.url}/`);
    assert.deepEqual(await viewportOf(page), [800, 613]);
    assert.deepEqual(sizeOf(await page.screenshot()), [800, 613]);
    await close();
  });
}

test('a session is headful unless it or the server is configured otherwise', limit, async () => {
  const { id, close } = await open({});
  assert.equal((await sessionOf(server, id)).configuration.browser.headless.active, false);
  await close();
});

test('a session is answered when its page stands at the initial address', limit, async () => {
  const initial_url = `${site.url}/form?from=config`;
  const { page, close } = await open({ session: { initial_url } });
  assert.equal(page.url(), initial_url);
  assert.ok(site.requests.includes('GET /form?from=config'));
  await close();

  const nowhere = await open({ session: { initial_url: 'http://127.0.0.1:1/' } });
  assert.match(nowhere.page.url(), /^(chrome-error:|http:\/\/127\.0\.0\.1:1\/)/);
  await nowhere.close();
});

test('sessions are found by their tags', limit, async () => {
  const red = await open({ session: { tags: ['red', 'shared'] } });
  const blue = await open({ session: { tags: ['blue', 'shared'] } });
  const found = async (query: string) => {
    const { body } = await server.request('GET', `/v1/sessions/all/status?${query}`);
    assert.equal(body.data.count, body.data.items.length);
    return body.data.items.map((item: { session_id: string }) => item.session_id);
  };
  assert.deepEqual(await found('tags=red'), [red.id]);
  assert.deepEqual(new Set(await found('tags=shared')), new Set([red.id, blue.id]));
  assert.deepEqual(await found('tags=green'), []);
  assert.deepEqual((await sessionOf(server, red.id)).tags, ['red', 'shared']);
  await red.close();
  await blue.close();
});

test('sessions are apart from each other', limit, async () => {
  const one = await open({});
  const other = await open({});
  assert.equal(await server.metric('capstan_sessions_open'), 2);
  for (const { page } of [one, other]) await page.goto(`${site.url}/`);
  await one.page.evaluate('localStorage.setItem("secret", "of one"); document.cookie = "a=b"');
  const seen = await other.page.evaluate('[localStorage.getItem("secret"), document.cookie]');
  assert.deepEqual(seen, [null, '']);
  await one.close();
  assert.equal(await other.page.title(), 'The harbour', 'the end of one is not the end of both');
  await other.close();
});

test('a session tells when it ends at the latest, and by what', limit, async () => {
  const timeout = { max_duration: 7, idle_timeout: -1 };
  const { id, page, close } = await open({ session: { timeout } });
  await page.goto(`${site.url}/`);
  const running = await sessionOf(server, id);
  assert.deepEqual(running.configuration.session.timeout, timeout);
  const minutes = (Date.parse(running.expires_at) - Date.parse(running.created_at)) / 60_000;
  assert.ok(Math.abs(minutes - 7) < 0.5, `expires after ${minutes} minutes`);
  await close();
  const ended = await sessionOf(server, id);
  assert.equal(ended.status, 'completed');
  assert.ok(Number.isInteger(ended.duration) && ended.duration >= 0);
});

test('a page that does not come does not hold up the end of its session', limit, async () => {
  const { id, page } = await open({});
  const waits = site.visitorWaits();
  const gone = assert.rejects(page.goto(`${site.url}/never`));
  await waits;
  const ended = await server.request('DELETE', `/v1/sessions/${id}`);
  assert.equal(ended.status, 200);
  await gone;
  const address = `${server.url}/?sessionId=${id}&apiKey=${server.key}`;
  await assert.rejects(DevToolsClient.connect(address), /refused/);
});
