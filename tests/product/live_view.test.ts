// Watching and driving real sessions, on the page that the server serves, in a real browser.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import {
  claim,
  colourSeen,
  type Kind,
  launchViewers,
  openSocket,
  openWatched,
  pointOf,
  screenWidth,
  watch,
} from '../support/live_view.ts';
import { chromium, type Page } from '../support/packages.ts';
import { startServer } from '../support/server.ts';
import { endSession, openSession } from '../support/sessions.ts';
import { isNear } from '../support/video.ts';

const server = await startServer();
after(() => server.stop());
const viewers = await launchViewers();
after(() => viewers.close());
const limit = { timeout: 120_000 };

const textOf = (page: Page): Promise<string> =>
  page.evaluate(`document.getElementById('text').value`);
const clickOnText = async (window: Page, page: Page, kind: Kind): Promise<void> => {
  await window.mouse.click(...(await pointOf(window, kind, 200, 150)));
  await eventually('the text has the focus', () =>
    page.evaluate(`document.activeElement.id === 'text'`) as Promise<boolean>, 5_000);
};
const seenBy = (page: Page): Promise<string[]> => page.evaluate('seen');

for (const kind of ['headful', 'headless'] as const) {
  test(`a viewer sees a ${kind} page change, clicks and writes on it`, limit, async (t) => {
    const { link, page } = await openWatched(t, server, kind);
    const window = await watch(t, viewers, link);
    const shows = (what: string, colour: number[]) =>
      eventually(
        what,
        async () => isNear(await colourSeen(window, kind, 500, 400), colour, 8),
        10_000,
      );
    await shows('the page is red', [200, 30, 60]);
    await window.mouse.click(...(await pointOf(window, kind, 700, 150)));
    await shows('the button made it green', [20, 160, 40]);
    await page.evaluate(`document.body.style.background = 'rgb(10, 20, 240)'`);
    await shows('the page turned blue by itself', [10, 20, 240]);

    await clickOnText(window, page, kind);
    await window.keyboard.type('Ahoy, {World}!');
    await eventually('it is written', async () => (await textOf(page)) === 'Ahoy, {World}!', 5_000);
    await window.keyboard.press('Enter');
    const viewer = await window.context().newCDPSession(window);
    for (const key of ['ä', 'ß', 'é', '€', '字']) {
      await viewer.send('Input.dispatchKeyEvent', { type: 'keyDown', key, text: key, code: 'KeyA' });
      await viewer.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code: 'KeyA' });
    }
    const after = 'Ahoy, {World}!\näßé€字';
    await eventually(`it is "${after}"`, async () => (await textOf(page)) === after, 5_000).catch(
      async () => assert.equal(await textOf(page), after),
    );

    await page.evaluate(`document.getElementById('text').value = ''; seen.length = 0`);
    await viewer.send('Input.imeSetComposition', { text: 'に', selectionStart: 1, selectionEnd: 1 });
    await viewer.send('Input.imeSetComposition', { text: 'にほ', selectionStart: 2, selectionEnd: 2 });
    await viewer.send('Input.insertText', { text: '日本' });
    await eventually('it is composed', async () => (await textOf(page)) === '日本', 5_000);
    const compositionIsOver = async () => (await seenBy(page)).includes('compositionend:日本');
    await eventually('the composition is over', compositionIsOver, 5_000);
    assert.ok((await seenBy(page)).includes('compositionstart:'));

    await page.evaluate(`document.getElementById('text').value = ''`);
    const long = 'pasted ä '.repeat(1_200).slice(0, 10_000);
    await window.evaluate(`navigator.clipboard.writeText(${JSON.stringify(long)})`);
    await window.keyboard.press('Control+V');
    await eventually('it is pasted', async () => (await textOf(page)) === long, 10_000);

    await page.evaluate(`document.getElementById('text').value = 'to be copied'`);
    await window.keyboard.press('Control+A');
    await window.keyboard.press('Control+C');
    const clipboard = () => window.evaluate('navigator.clipboard.readText()');
    await eventually('it is copied', async () => (await clipboard()) === 'to be copied', 5_000);
    await page.evaluate('getSelection().removeAllRanges(); document.activeElement.blur()');
    await window.keyboard.press('Control+C');
    await window.locator('#toasts').getByText('Nothing was copied').waitFor();
    assert.equal(await clipboard(), 'to be copied', 'nothing takes its place');
  });
}

test('the page of a headful session has the keyboard from the start', limit, async (t) => {
  const body = { browser: { headless: { active: false } } };
  const { id, cdp_url, live_view_url: link } = (await openSession(server, { body })) as any;
  t.after(() => endSession(server, id));
  const first = await chromium.connectOverCDP(cdp_url);
  const [page] = first.contexts()[0]!.pages();
  await page!.setContent('<input id="text">');
  await page!.focus('#text');
  await first.close(); // while it was there, every page thought so
  const { socket, said, say } = await openSocket(link);
  t.after(() => socket.close());
  for (const key of 'Grüße') {
    for (const event of ['down', 'up']) {
      say({ type: 'key', event, code: 'KeyA', key, repeat: false, modifiers: 0 });
    }
  }
  say({ type: 'copy' });
  await eventually('it was copied', () => said.some(({ type }) => type === 'copied'), 5_000);
  const second = await chromium.connectOverCDP(cdp_url);
  t.after(() => second.close());
  assert.equal(await textOf(second.contexts()[0]!.pages()[0]!), 'Grüße');
});

for (const kind of ['headful', 'headless'] as const) {
  test(`a key held on a ${kind} page repeats when the viewer's does`, limit, async (t) => {
    const { link, page } = await openWatched(t, server, kind);
    const window = await watch(t, viewers, link);
    await clickOnText(window, page, kind);
    for (const [key, written] of [['x', 'xxx'], ['{', 'xxx{{{'], ['Backspace', 'xxx']] as const) {
      await window.keyboard.down(key);
      await pause(1_000); // for the screen, whose clock is another one, to repeat it or not
      await window.keyboard.down(key);
      await window.keyboard.down(key);
      await window.keyboard.up(key);
      await eventually(`it is "${written}"`, async () => (await textOf(page)) === written, 5_000);
    }
    await window.keyboard.press('x');
    await eventually('x is one key again', async () => (await textOf(page)) === 'xxxx', 5_000);

    // On a German keyboard the key of "?" is called "ß" if Shift is let go before it.
    const viewer = await window.context().newCDPSession(window);
    for (let i = 0; i < 2; ++i) {
      const stroke = { code: 'Minus', key: '?', text: '?' };
      await viewer.send('Input.dispatchKeyEvent', { type: 'keyDown', ...stroke });
      await viewer.send('Input.dispatchKeyEvent', { type: 'keyUp', code: 'Minus', key: 'ß' });
    }
    await eventually('? is written twice', async () => (await textOf(page)) === 'xxxx??', 5_000);
  });
}

for (const kind of ['headful', 'headless'] as const) {
  test(`what is written on a slow ${kind} page stays in order`, limit, async (t) => {
    const { link, page } = await openWatched(t, server, kind);
    const window = await watch(t, viewers, link);
    await clickOnText(window, page, kind);
    await page.evaluate(`addEventListener('keydown', () => {
      for (const end = performance.now() + 100; performance.now() < end; ) {}
    })`);
    const viewer = await window.context().newCDPSession(window);
    for (const key of ['ä', '字']) {
      await window.keyboard.type('before');
      await viewer.send('Input.dispatchKeyEvent', { type: 'keyDown', key, text: key, code: 'KeyA' });
      await viewer.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code: 'KeyA' });
      await window.keyboard.type('after');
      await viewer.send('Input.imeSetComposition', { text: 'に', selectionStart: 1, selectionEnd: 1 });
      await viewer.send('Input.insertText', { text: '日' });
    }
    const written = 'beforeäafter日before字after日';
    await window.evaluate(`navigator.clipboard.writeText('something else')`);
    await window.keyboard.press('Control+A');
    await window.keyboard.press('Control+C');
    const clipboard = () => window.evaluate('navigator.clipboard.readText()');
    await eventually('all is copied', async () => (await clipboard()) !== 'something else', 20_000);
    assert.deepEqual([await textOf(page), await clipboard()], [written, written]);
  });
}

test('the last change of a headless page is seen, though the server had to wait', limit, async (t) => {
  const { link, page } = await openWatched(t, server, 'headless');
  const window = await watch(t, viewers, link);
  await page.evaluate(`setTimeout(() => {
    let changes = 0;
    const timer = setInterval(() => {
      document.body.style.background = ++changes < 10 ? 'rgb(0, 0, ' + 20 * changes + ')' : 'rgb(20, 160, 40)';
      if (changes === 10) clearInterval(timer);
    }, 30);
  }, 200)`);
  process.kill(server.pid, 'SIGSTOP');
  await pause(1_000); // for the page, whose clock is another one
  process.kill(server.pid, 'SIGCONT');
  await eventually('it is green', async () =>
    isNear(await colourSeen(window, 'headless', 500, 400), [20, 160, 40], 8), 5_000);
});

test('what a read-only link sends reaches nothing, whatever its page says', limit, async (t) => {
  for (const kind of ['headful', 'headless'] as const) {
    const { link, page } = await openWatched(t, server, kind, { read_only: true });
    await page.evaluate(`document.getElementById('text').focus()`);
    const { socket, said } = await openSocket(link);
    t.after(() => socket.close());
    const inputs = [
      { type: 'pointer', event: 'down', x: 200, y: 150, button: 0, buttons: 1, clicks: 1 },
      { type: 'pointer', event: 'up', x: 200, y: 150, button: 0, buttons: 0, clicks: 1 },
      { type: 'wheel', x: 200, y: 150, dx: 0, dy: 300, modifiers: 0 },
      { type: 'key', event: 'down', code: 'KeyA', key: 'a', repeat: false, modifiers: 0 },
      { type: 'compose', text: 'x', start: 1, end: 1 },
      { type: 'commit', text: 'x' },
      { type: 'paste', text: 'x' },
      { type: 'copy' },
      { type: 'drive' },
      { type: 'tab', id: 'x' },
      { type: 'dialog_answer', accept: true, text: '' },
      { type: 'files', chooser: '1', ids: [] },
      { type: 'release' },
    ];
    for (const input of inputs) socket.send(JSON.stringify(input));
    const errors = () => said.filter(({ type }) => type === 'error');
    await eventually('each is refused', () => errors().length === inputs.length, 5_000);
    assert.ok(errors().every(({ message }) => message.includes('viewing only')));
    assert.ok(said.some(({ type, role, driving }) => type === 'hello' && role === 'view' && !driving));
    assert.equal(await textOf(page), '');
    assert.deepEqual(await seenBy(page), []);
  }
});

test('one of fifty claims of a one-time link wins, and looking at it spends nothing', limit, async (t) => {
  const { link } = await openWatched(t, server, 'headful', { one_time_url: true });
  for (let i = 0; i < 10; ++i) {
    const looked = await fetch(link);
    assert.equal(looked.status, 200);
    assert.match(looked.headers.get('content-security-policy') ?? '', /frame-ancestors \*/);
    await looked.text();
  }
  const claims = await Promise.all(Array.from({ length: 50 }, () => claim(link)));
  const won = claims.filter(({ status }) => status === 200);
  assert.equal(won.length, 1);
  assert.ok(claims.every(({ status }) => status === 200 || status === 410));
  const { ticket } = won[0].data;
  assert.equal((await claim(link, { ticket })).status, 200, 'the winner may come back');
  assert.equal((await claim(link, { ticket: 'f'.repeat(64) })).status, 410);
});

test('a one-time link opens for its first viewer, who may reload', limit, async (t) => {
  const { link } = await openWatched(t, server, 'headful', { one_time_url: true });
  const window = await watch(t, viewers, link);
  await window.reload();
  await eventually('it is shown again', async () => (await screenWidth(window)) > 300, 20_000);
  const other = await (await viewers.newContext()).newPage();
  t.after(() => other.context().close());
  await other.goto(link);
  const says = async () => (await other.locator('body').innerText()).toLowerCase();
  await eventually('the other one is told', async () => (await says()).includes('somebody'), 10_000);
});

test('a link dies with its session, and says so', limit, async (t) => {
  const { id, link } = await openWatched(t, server, 'headful');
  const window = await watch(t, viewers, link);
  await endSession(server, id);
  const says = async () => (await window.locator('body').innerText()).toLowerCase();
  await eventually('the page says it', async () => (await says()).includes('has ended'), 10_000);
  assert.equal((await fetch(link)).status, 410);
  const context = await viewers.newContext();
  t.after(() => context.close());
  const late = await context.newPage();
  await late.goto(link);
  await late.locator('#notice-text').getByText('has ended').waitFor();
  assert.equal((await fetch(link.replace(/[0-9a-f]{64}$/, '0'.repeat(64)))).status, 404);
  for (const line of server.log) assert.ok(!line.includes(link.slice(-64)), 'no log has the token');
});

test('the page works in a frame of another site, as AnchorBrowser tells to embed it', limit, async (t) => {
  const { link, page } = await openWatched(t, server, 'headful');
  const frame = `<iframe src="${link}" sandbox="allow-same-origin allow-scripts"
    allow="clipboard-read; clipboard-write" style="width:1400px;height:1000px"></iframe>`;
  const site = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(frame);
  }).listen(0, 'localhost');
  await once(site, 'listening');
  t.after(() => site.close());
  const context = await viewers.newContext({ viewport: { width: 1500, height: 1100 } });
  t.after(() => context.close());
  const window = await context.newPage();
  await window.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
  const inner = window.frameLocator('iframe').locator('#screen');
  const width = (): Promise<number> => inner.evaluate((canvas: any) => canvas.width);
  await eventually('a picture is shown', async () => (await width()) > 300, 20_000);
  const box = await inner.boundingBox();
  assert.ok(box);
  await window.mouse.click(box.x + (700 / 1440) * box.width, box.y + (237 / 988) * box.height);
  const isGreen = () => page.evaluate(`document.body.style.background.includes('20, 160, 40')`);
  await eventually('the click went through', isGreen as () => Promise<boolean>, 5_000);
});

test('one of several viewers drives, until another one takes over or it leaves', limit, async (t) => {
  const { link, page } = await openWatched(t, server, 'headful');
  const first = await openSocket(link);
  const second = await openSocket(link);
  t.after(() => second.socket.close());
  const last = (said: any[]) => said.filter(({ type }) => type === 'viewers').at(-1);
  const drives = (who: typeof first) => () => last(who.said)?.driving === true;
  await eventually('the first drives', drives(first), 5_000);
  await eventually('both are counted', () => last(second.said)?.viewers === 2, 5_000);
  const key = { type: 'key', event: 'down', code: 'KeyA', key: 'a', modifiers: 0 };
  second.socket.send(JSON.stringify(key));
  const refused = ({ type, message }: any) => type === 'error' && message.includes('somebody else');
  await eventually('the second is refused', () => second.said.some(refused), 5_000);
  second.socket.send(JSON.stringify({ type: 'drive' }));
  await eventually('the second drives', drives(second), 5_000);
  assert.equal(last(first.said).driving, false);
  first.socket.send(JSON.stringify({ type: 'drive' }));
  await eventually('the first drives again', drives(first), 5_000);
  first.socket.close();
  await eventually('who is left drives', drives(second), 5_000);
  assert.deepEqual(await seenBy(page), []);
});
