// What a page, or its session, asks of a person at the live view, and what ends or outlives it: file
// choosers, dialogs, text for the address bar, tabs; tokens, links that are taken back, recordings.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually, within } from '../support/eventually.ts';
import {
  claim,
  colourSeen,
  type Kind,
  launchViewers,
  openSocket,
  openWatched,
  pointOf,
  watch,
} from '../support/live_view.ts';
import { chromium, type Page } from '../support/packages.ts';
import { descendantsOf } from '../support/processes.ts';
import { startServer } from '../support/server.ts';
import { endSession, openSession, sessionHasEnded } from '../support/sessions.ts';
import { startSite } from '../support/site.ts';
import { colourAt, isNear } from '../support/video.ts';

const server = await startServer();
after(() => server.stop());
const viewers = await launchViewers();
after(() => viewers.close());
const limit = { timeout: 120_000 };
const kinds: Kind[] = ['headful', 'headless'];

/** Puts a button there that does that, where pointOf(window, kind, 700, 150) is. */
const putButton = (page: Page, does: string): Promise<void> =>
  page.evaluate(`{
    document.body.innerHTML = '<button style="position:absolute;left:600px;top:100px;' +
      'width:200px;height:100px">Go</button><input type="file" id="files" multiple>';
    document.querySelector('button').onclick = () => { ${does} };
  }`);

/** A checksum that a page can make, too: one without TLS has no crypto.subtle. */
const sumOf = (bytes: Uint8Array): number =>
  bytes.reduce((sum, byte) => (sum * 31 + byte) % 4_294_967_291, 7);

for (const kind of kinds) {
  test(`a ${kind} page gets the files that a viewer chooses`, limit, async (t) => {
    const { link, page } = await openWatched(t, server, kind);
    await putButton(page, `document.getElementById('files').click()`);
    await page.evaluate(`{
      globalThis.events = [];
      const files = document.getElementById('files');
      for (const type of ['input', 'change', 'cancel']) {
        files.addEventListener(type, () => events.push(type));
      }
    }`);
    const window = await watch(t, viewers, link);
    const go = async () => window.mouse.click(...(await pointOf(window, kind, 700, 150)));
    await go();
    await window.getByRole('dialog', { name: 'The page asks for files' }).waitFor();
    const large = randomBytes(9_000_000); // in nine pieces
    await window.locator('#file-input').setInputFiles([
      { name: 'grüße & more.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') },
      { name: 'large.bin', mimeType: 'application/octet-stream', buffer: large },
      { name: 'empty', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
    ]);
    const chosen = () =>
      page.evaluate(`Promise.all([...document.getElementById('files').files].map(async (file) =>
        [file.name, (${sumOf})(new Uint8Array(await file.arrayBuffer()))]))`) as Promise<
        [string, number][]
      >;
    await eventually('the page has them', async () => (await chosen()).length === 3, 20_000);
    assert.deepEqual(await chosen(), [
      ['grüße & more.txt', sumOf(Buffer.from('hello'))],
      ['large.bin', sumOf(large)],
      ['empty', sumOf(Buffer.alloc(0))],
    ]);
    assert.deepEqual(await page.evaluate('events'), ['input', 'change']);
    await window.locator('#files').waitFor({ state: 'hidden' });
    await go();
    await window.locator('#files').getByRole('button', { name: 'Cancel' }).click();
    const hasCancelled = async () => ((await page.evaluate('events')) as string[]).length === 3;
    await eventually('the page is told', hasCancelled, 5_000);
    assert.deepEqual(await page.evaluate('events'), ['input', 'change', 'cancel']);
    assert.equal((await chosen()).length, 3, 'what was chosen before stays');
  });

  test(`files that a ${kind} page did not ask for are refused`, limit, async (t) => {
    const { id, link, page } = await openWatched(t, server, kind);
    await putButton(page, `document.getElementById('files').click()`);
    const send = async (query: Record<string, string>, body = 'x'): Promise<number> => {
      const place = `${link}/files?${new URLSearchParams(query)}`;
      const answer = await fetch(place, { method: 'POST', body });
      await answer.text();
      return answer.status;
    };
    const { socket, ticket, said } = await openSocket(link);
    t.after(() => socket.close());
    assert.equal(await send({ ticket, chooser: '1', name: 'a' }), 404);
    await eventually('it is watched', () => said.some(({ type }) => type === 'viewers'), 5_000);
    const opened = () => said.find(({ type }) => type === 'file_chooser');
    const clicked = async () => {
      await page.mouse.click(700, 150); // until the page knows that somebody attends
      return eventually('a chooser is told', opened, 500).catch(() => false);
    };
    await eventually('the click opens a chooser', clicked, 10_000);
    const { id: chooser } = opened();
    const successor = await openSocket(link);
    t.after(() => successor.socket.close());
    successor.say({ type: 'drive' });
    const isTold = () => successor.said.filter(({ type }) => type === 'file_chooser').length > 1;
    await eventually('who takes over is told, too', isTold, 5_000);
    assert.equal(await send({ ticket: successor.ticket, chooser, name: 'a' }), 200);
    assert.equal(await send({ ticket, chooser, name: 'a' }), 403, 'somebody else drives');
    successor.socket.close();
    const drives = () => said.findLast(({ type }) => type === 'viewers').driving;
    await eventually('the first one drives again', drives, 5_000);
    assert.equal(await send({ ticket, chooser, name: 'a' }), 200);
    assert.equal(await send({ ticket, chooser, name: 'a', file: '7' }), 404);
    assert.equal(await send({ ticket: 'f'.repeat(64), chooser, name: 'a' }), 401);
    for (const name of ['', '../a', 'a/b', 'x'.repeat(256), 'a\nb']) {
      assert.equal(await send({ ticket, chooser, name }), 400, name);
    }
    const sends = [];
    for (let file = 0; file < 99; ++file) sends.push(await send({ ticket, chooser, name: 'a' }));
    assert.deepEqual([...new Set(sends.slice(0, 98))], [200]);
    assert.equal(sends[98], 429, 'the 101st file');
    assert.equal(await send({ ticket, chooser, name: 'a', first: 'true' }), 200, 'another choice');
    const made = await server.request('POST', `/v1/sessions/${id}/tokens`, {
      body: { scopes: ['live_view_read_only'] },
    });
    const readOnly = made.body.data.live_view_url;
    const looking = (await claim(readOnly)).data;
    const refused = await fetch(
      `${readOnly}/files?${new URLSearchParams({ ticket: looking.ticket, chooser, name: 'a' })}`,
      { method: 'POST', body: 'x' },
    );
    assert.equal(refused.status, 403, await refused.text());
  });

  test(`a dialog of a ${kind} page is answered at the live view`, limit, async (t) => {
    const { link, page } = await openWatched(t, server, kind);
    // Without the focus, so that the Enter that answers doesn't ask again.
    const asks = `document.activeElement.blur(); document.title = String(confirm('Really?'))`;
    await putButton(page, asks);
    const window = await watch(t, viewers, link);
    page.on('dialog', () => {}); // else Playwright dismisses it
    await window.mouse.click(...(await pointOf(window, kind, 700, 150)));
    if (kind === 'headless') {
      await window.locator('#page-dialog').getByText('Really?').waitFor();
      await window.locator('#page-dialog').getByRole('button', { name: 'OK' }).click();
    } else {
      // The browser's own, on its screen: it opens somewhat later than it is told of.
      const isAnswered = async () => {
        await window.keyboard.press('Enter');
        const titled = page.title().then((title) => title === 'true');
        return Promise.race([titled, new Promise((late) => setTimeout(late, 300))]);
      };
      await eventually('Enter answers it', isAnswered, 10_000);
    }
    await eventually('the page goes on', async () => (await page.title()) === 'true', 5_000);
  });
}

for (const kind of kinds) {
  test(`a ${kind} page that is recorded and nobody drives is not held up by its alert()`, limit, async (t) => {
    const asked: string[] = [];
    const site = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.setHeader('content-type', 'text/html');
      response.end(`<script>alert(1); fetch('/on');</script>`);
    }).listen(0, '127.0.0.1');
    await once(site, 'listening');
    t.after(() => site.close());
    const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
    const body = {
      session: { initial_url: url },
      browser: { headless: { active: kind === 'headless' } },
    };
    const { id } = await within('it opens', 20_000, openSession(server, { body }));
    await eventually('it goes on', () => asked.includes('/on'), 10_000);
    await endSession(server, id);
  });
}

test('what is pasted goes where the focus is: the address bar, or the page that is seen', limit, async (t) => {
  const { link, page } = await openWatched(t, server, 'headful');
  const site = await startSite();
  t.after(() => site.stop());
  const { socket, said, say } = await openSocket(link);
  t.after(() => socket.close());
  const press = (code: string, name: string, modifiers = 0) => {
    for (const event of ['down', 'up']) {
      say({ type: 'key', event, code, key: name, modifiers });
    }
  };
  say({ type: 'key', event: 'down', code: 'ControlLeft', key: 'Control', modifiers: 0 });
  press('KeyL', 'l', 2);
  say({ type: 'key', event: 'up', code: 'ControlLeft', key: 'Control', modifiers: 0 });
  const pageIsAsked = async () => ((await page.evaluate('seen')) as string[]).includes('keydown:l');
  await eventually('the page is asked before the bar', pageIsAsked, 5_000);
  await pause(500); // as a person does, who sees where the focus is
  const address = `${site.url}/form?${'aB9-_~.'.repeat(500)}`;
  say({ type: 'paste', text: address });
  await pause(500); // as a person does; the bar reads a clipboard when it comes to it
  press('Enter', 'Enter');
  await eventually('it is loaded', () => site.requests.length > 0, 20_000);
  assert.equal(site.requests[0], `GET ${address.slice(site.url.length)}`);

  const other = await page.context().newPage();
  await other.setContent('<textarea style="position:fixed;inset:0;width:90%"></textarea>');
  await other.evaluate(`{
    globalThis.pasted = 0;
    addEventListener('paste', () => { ++pasted; });
  }`);
  for (const event of ['down', 'up']) {
    say({ type: 'pointer', event, x: 300, y: 400, button: 0, buttons: 1, clicks: 1, modifiers: 0 });
  }
  const isFocused = () => other.evaluate(`document.activeElement.tagName === 'TEXTAREA'`);
  await eventually('it is clicked on', isFocused as () => Promise<boolean>, 5_000);
  const texts = ['x'.repeat(300_000), 'grüße 字 😀\n2'];
  for (const text of texts) say({ type: 'paste', text });
  const written = () => other.evaluate(`document.querySelector('textarea').value`);
  await eventually('both are there', async () => (await written()) === texts.join(''), 10_000);
  assert.equal(await other.evaluate('pasted'), 2, 'as a person would paste');
  assert.deepEqual(said.filter(({ type }) => type === 'error'), []);
});

for (const kind of ['headful', 'headless'] as const) {
  test(`a flood of input to a ${kind} page holds nobody up, and leaves no key held`, limit, async (t) => {
    const { link, page } = await openWatched(t, server, kind);
    const { socket, say } = await openSocket(link);
    say({ type: 'key', event: 'down', code: 'ShiftLeft', key: 'Shift', modifiers: 0 });
    for (let round = 0; round < 15; ++round) {
      for (let i = 0; i < 1_000; ++i) {
        say({ type: 'pointer', event: 'move', x: i, y: 400, button: 0, buttons: 0, modifiers: 0 });
      }
      for (let i = 0; i < 100; ++i) {
        say({ type: 'wheel', x: 500, y: 400, dx: 0, dy: i % 2 ? 1e6 : -1e6, modifiers: 0 });
      }
    }
    socket.close();
    const other = await openSocket(link);
    t.after(() => other.socket.close());
    await page.evaluate(`{
      globalThis.shifts = [];
      addEventListener('mousedown', (event) => shifts.push(event.shiftKey));
    }`);
    const isClicked = async () => {
      for (const event of ['down', 'up']) {
        other.say({ type: 'pointer', event, x: 300, y: 600, button: 0, buttons: 1, clicks: 1 });
      }
      return ((await page.evaluate('shifts.at(-1) === false')) as boolean) === true;
    };
    await eventually('a click comes without shift', isClicked, 20_000);
  });
}

test('a display that dies while a key is held takes its session with it and nothing else', limit, async (t) => {
  const bystander = await openWatched(t, server, 'headful');
  const known = new Set(screensOf(server.pid));
  const { id, link } = await openWatched(t, server, 'headful');
  const [screen] = screensOf(server.pid).filter((pid) => !known.has(pid));
  assert.ok(screen, 'it has a screen of its own');
  const { socket, said, say } = await openSocket(link);
  t.after(() => socket.close());
  say({ type: 'key', event: 'down', code: 'ShiftLeft', key: 'Shift', modifiers: 0 });
  say({ type: 'pointer', event: 'down', x: 300, y: 600, button: 0, buttons: 1, clicks: 1 });
  await eventually('it shows itself', () => said.some(({ type }) => type === 'hello'), 5_000);
  process.kill(screen, 'SIGKILL');
  assert.equal(await sessionHasEnded(server, id, 15_000), 'crashed');
  await eventually('the viewer is told', () => said.at(-1)?.type === 'ended', 10_000);
  assert.equal(await bystander.page.evaluate('1 + 1'), 2);
});

const screensOf = (ancestor: number): number[] =>
  descendantsOf(ancestor)
    .filter(({ command }) => /Xvfb/.test(command))
    .map(({ pid }) => pid);

test('a headless viewer sees the tab that was opened last, or the one that it picks', limit, async (t) => {
  const { id, link, page } = await openWatched(t, server, 'headless');
  const { socket, said, say } = await openSocket(link);
  t.after(() => socket.close());
  const tabs = () => said.filter(({ type }) => type === 'tabs').at(-1)?.tabs as any[];
  const window = await watch(t, viewers, link);
  const shows = (what: string, colour: number[]) =>
    eventually(
      what,
      async () => isNear(await colourSeen(window, 'headless', 500, 400), colour, 8),
      10_000,
    );
  await shows('the first one is red', [200, 30, 60]);
  const context = page.context();
  const opened = await Promise.all([context.newPage(), context.newPage(), context.newPage()]);
  const colours = [[10, 20, 240], [240, 200, 10], [100, 0, 100]];
  for (const [index, each] of opened.entries()) {
    await each.evaluate(`document.title = 'tab ${index}\\ud83d';
      document.body.style.background = 'rgb(${colours[index]})'; console.error('\\ude00')`);
  }
  await eventually('four tabs are told', () => tabs()?.length === 4, 5_000);
  const titled = (title: string) => tabs().find((tab) => tab.title.startsWith(title));
  await eventually('with their titles', () => titled('tab 2') !== undefined, 5_000);
  const newest = tabs().find(({ active }) => active);
  const index = Number(/^tab (\d)/.exec(newest.title)?.[1]);
  await shows('the newest is seen', colours[index]!);
  for (const [index, colour] of colours.entries()) {
    say({ type: 'tab', id: titled(`tab ${index}`).id });
    await shows(`tab ${index} is seen`, colour);
  }
  await opened[2]!.close();
  await eventually('three are left', () => tabs().length === 3, 5_000);
  await endSession(server, id);
});

test('a viewer hits what it sees, though the client has made the page larger', limit, async (t) => {
  const { link, page } = await openWatched(t, server, 'headless');
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.evaluate(`document.body.innerHTML = '<button onclick="globalThis.hit = true" ' +
    'style="position:absolute;right:0;bottom:0;width:120px;height:60px">Far</button>'`);
  const { socket, say } = await openSocket(link);
  t.after(() => socket.close());
  const isHit = async () => {
    for (const event of ['down', 'up']) {
      say({ type: 'pointer', event, x: 1400, y: 790, button: 0, buttons: 1, clicks: 1 });
    }
    return (await page.evaluate('globalThis.hit === true')) as boolean;
  };
  await eventually('the button in the far corner is hit', isHit, 10_000);
});

test('tokens lead to the live view with the role of their scope, until they are revoked', limit, async (t) => {
  const { id } = await openWatched(t, server, 'headful');
  const place = `/v1/sessions/${id}/tokens`;
  for (const [scope, role] of [['live_view', 'control'], ['live_view_read_only', 'view']] as const) {
    const made = await server.request('POST', place, { body: { scopes: [scope] } });
    assert.equal(made.status, 200, made.text);
    const { token, live_view_url: link } = made.body.data;
    assert.equal((await claim(link)).data.role, role);
    assert.equal((await server.request('DELETE', `${place}/${token}`)).status, 200);
    assert.equal((await claim(link)).status, 410);
    assert.equal((await server.request('DELETE', `${place}/${token}`)).status, 404);
  }
  const wrong = await server.request('POST', place, { body: { scopes: ['everything'] } });
  assert.equal(wrong.status, 400, wrong.text);
});

test('who came by a link that is taken back is sent away', limit, async (t) => {
  const { id } = await openWatched(t, server, 'headful');
  const place = `/v1/sessions/${id}/tokens`;
  const made = await server.request('POST', place, { body: { scopes: ['live_view'] } });
  const { token, live_view_url: link } = made.body.data;
  const { socket } = await openSocket(link);
  const closed = once(socket, 'close') as Promise<[{ code: number }]>;
  assert.equal((await server.request('DELETE', `${place}/${token}`)).status, 200);
  assert.equal((await closed)[0].code, 4410);
  assert.equal((await fetch(link)).status, 410);
  assert.match((await claim(link)).error.message, /taken back/);
});

test('a token for CDP reaches its session alone, until it is revoked', limit, async (t) => {
  const { id, page } = await openWatched(t, server, 'headful');
  const other = await openWatched(t, server, 'headful');
  const place = `/v1/sessions/${id}/tokens`;
  const made = await server.request('POST', place, { body: { scopes: ['cdp'] } });
  assert.equal(made.status, 200, made.text);
  const { token, cdp_url: address } = made.body.data;
  const browser = await chromium.connectOverCDP(address);
  assert.equal(await browser.contexts()[0]!.pages()[0]!.title(), await page.title());
  const query = `sessionId=${id}&token=${token}`;
  const version = await server.request('GET', `/json/version?${query}`, { key: null });
  assert.ok(version.body.webSocketDebuggerUrl.endsWith(`token=${token}`), 'it gets no other token');
  const crossed = `/json/version?sessionId=${other.id}&token=${token}`;
  assert.equal((await server.request('GET', crossed, { key: null })).status, 401);
  const left = new Promise<void>((done) => browser.once('disconnected', () => done()));
  assert.equal((await server.request('DELETE', `${place}/${token}`)).status, 200);
  await left;
  const late = await server.request('GET', `/json/version?${query}`, { key: null });
  assert.equal(late.status, 401, late.text);
  assert.equal(await page.evaluate('1 + 1'), 2, 'whoever has another token stays');
});

test('who saw a session end gets its recording by the link and no other way', limit, async (t) => {
  const { id, link } = await openWatched(t, server, 'headful');
  const { socket, ticket, said } = await openSocket(link);
  await eventually('it is seen', () => said.some(({ type }) => type === 'hello'), 5_000);
  const window = await watch(t, viewers, link);
  await endSession(server, id);
  await eventually('it has ended', () => said.at(-1)?.type === 'ended', 10_000);
  socket.close();
  const place: string = said.at(-1).recording_url;
  const video = await fetch(new URL(place, server.url));
  assert.equal(video.status, 200, place);
  assert.equal(video.headers.get('content-type'), 'video/mp4');
  assert.equal(Buffer.from(await video.arrayBuffer()).toString('latin1', 4, 8), 'ftyp');
  const strange = new URL(place.replace(/ticket=.*/, `ticket=${'0'.repeat(64)}`), server.url);
  assert.equal((await fetch(strange)).status, 401);
  assert.deepEqual((await claim(link, { ticket })).data, {
    ended: true,
    reason: 'completed',
    recording_url: place,
  });
  assert.equal((await claim(link)).status, 410, 'who comes too late');

  const recording = window.getByRole('link', { name: 'Open the recording' });
  await recording.waitFor();
  await window.reload();
  await recording.waitFor();
  assert.equal((await fetch((await recording.getAttribute('href'))!)).status, 200);
});

test('a viewer is there once, wherever it comes from, and drives on', limit, async (t) => {
  const { link } = await openWatched(t, server, 'headful');
  const first = await openSocket(link);
  await eventually('it is there', () => first.said.some(({ type }) => type === 'viewers'), 5_000);
  const closed = once(first.socket, 'close') as Promise<[{ code: number }]>;
  const again = await openSocket(link, first.ticket);
  t.after(() => again.socket.close());
  assert.equal((await closed)[0].code, 4409);
  await eventually('it is there again', () => again.said.length > 1, 5_000);
  const [hello] = again.said;
  assert.deepEqual([hello.driving, hello.viewers], [true, 1]);

  const window = await watch(t, viewers, link);
  const stolen = await window.evaluate(`sessionStorage[Object.keys(sessionStorage)[0]]`);
  const elsewhere = await openSocket(link, stolen as string);
  await window.getByRole('heading', { name: 'Opened elsewhere' }).waitFor();
  const sentAway = once(elsewhere.socket, 'close') as Promise<[{ code: number }]>;
  await window.getByRole('button', { name: 'Watch it here' }).click();
  assert.equal((await sentAway)[0].code, 4409);
  await window.locator('#state').getByText('Live').waitFor();
});

test('who may only look takes no place from who may drive', limit, async (t) => {
  const { id, link } = await openWatched(t, server, 'headful');
  const made = await server.request('POST', `/v1/sessions/${id}/tokens`, {
    body: { scopes: ['live_view_read_only'] },
  });
  const codes: number[] = [];
  for (let seat = 0; seat < 12; ++seat) {
    const { socket } = await openSocket(made.body.data.live_view_url);
    t.after(() => socket.close());
    socket.addEventListener('close', ({ code }) => codes.push(code));
  }
  await eventually('three are sent away', () => codes.length === 3, 5_000);
  assert.deepEqual(codes, [1013, 1013, 1013]);
  const { socket, said } = await openSocket(link);
  t.after(() => socket.close());
  await eventually('who may drive gets in', () => said.some((one) => one.driving === true), 5_000);
});

for (const kind of kinds) {
  test(`a program at a ${kind} page answers its dialogs, whoever watches`, limit, async (t) => {
    const { link, page } = await openWatched(t, server, kind);
    const { socket, said } = await openSocket(link);
    await eventually('somebody watches', () => said.some((one) => one.driving === true), 5_000);
    const asked = page.waitForEvent('dialog');
    await page.evaluate(`void setTimeout(() => { document.title = String(confirm('You?')); })`);
    const dialog = await asked;
    socket.close();
    await pause(500); // for who else might answer it now
    await dialog.accept();
    assert.equal(await page.title(), 'true');
    const again = await openSocket(link);
    t.after(() => again.socket.close());
    await eventually('it is watched', () => again.said.some((one) => one.type === 'viewers'), 5_000);
    assert.ok(!again.said.some(({ type }) => type === 'dialog'), 'nothing is left of it');
  });
}

test('closing the last window ends the session in good order', limit, async (t) => {
  const { id, link } = await openWatched(t, server, 'headful');
  const { socket, said, say } = await openSocket(link);
  t.after(() => socket.close());
  await eventually('it is seen', () => said.some(({ type }) => type === 'hello'), 5_000);
  say({ type: 'key', event: 'down', code: 'ControlLeft', key: 'Control', modifiers: 0 });
  say({ type: 'key', event: 'down', code: 'KeyW', key: 'w', modifiers: 2 });
  assert.equal(await sessionHasEnded(server, id, 15_000), 'completed');
});

test('a thumbnail shows what a session shows now', limit, async (t) => {
  for (const kind of kinds) {
    const { id, page } = await openWatched(t, server, kind);
    const place = `${server.url}/v1/sessions/${id}/thumbnail`;
    const looks = async (colour: number[]): Promise<boolean> => {
      const answer = await fetch(place, { headers: { 'anchor-api-key': server.key } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), 'image/jpeg');
      const file = path.join(server.scratch, `${id}.jpg`);
      writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
      return isNear(colourAt(file, 0), colour, 10);
    };
    await eventually('it is red', () => looks([200, 30, 60]), 10_000);
    await page.evaluate(`document.body.style.background = 'rgb(10, 20, 240)'`);
    await eventually('it is blue', () => looks([10, 20, 240]), 10_000);
    assert.equal((await fetch(place)).status, 401);
  }
});
