// The life of the page: claiming the link, pictures, losing and finding the server, the end.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  canvasSize, colourAt, jpegOf, limit, load, screenSize, shows, showScreen, view, viewAndFocus,
} from './viewer.ts';

test('the page claims its link, and opens the socket with the ticket', limit, async (t) => {
  const { server, page } = await load(t);
  const { url } = await server.receivesType('open');
  assert.equal(url, '/live/secret-token/socket?ticket=ticket-1');
  assert.deepEqual(server.claims, [{}]);
  await shows(page, 'state', 'Live');
  await shows(page, 'role', 'You are in control');
  await shows(page, 'viewers', '1 viewer');
});

test('a page that nobody sees claims nothing until somebody does', limit, async (t) => {
  const before = `
    globalThis.visibility = 'hidden';
    Object.defineProperty(document, 'visibilityState', { get: () => visibility });`;
  const { server, page } = await load(t, { before });
  // It is loaded and has run, and looks again only when it is told that something changed.
  await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
  await shows(page, 'state', 'Connecting');
  assert.deepEqual(server.claims, []);
  await page.evaluate(`visibility = 'visible';
    document.dispatchEvent(new Event('visibilitychange'))`);
  await server.opened(1);
  assert.deepEqual(server.claims, [{}]);
});

test('a page that is loaded again claims with the ticket that it has', limit, async (t) => {
  const { server, page } = await view(t);
  await page.reload();
  await server.opened(2);
  assert.deepEqual(server.claims, [{}, { ticket: 'ticket-1' }]);
});

test('a page whose browser keeps nothing for it works all the same', limit, async (t) => {
  const before = `Object.defineProperty(window, 'sessionStorage', {
    get: () => { throw new DOMException('no', 'SecurityError'); } });`;
  const { server, page } = await view(t, { before });
  server.drop();
  await server.opened(2);
  assert.deepEqual(server.claims, [{}, { ticket: 'ticket-1' }], 'it has the ticket in memory');
  await shows(page, 'state', 'Live');
});

test('pictures are drawn in order, and acknowledged when they are drawn', limit, async (t) => {
  const before = `
    globalThis.done = [];
    const { drawImage } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.drawImage = function (picture, x, y) {
      drawImage.call(this, picture, x, y);
      done.push('draw at ' + x);
    };
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (text) {
      send.call(this, text);
      if (JSON.parse(text).type === 'ack') done.push('ack ' + JSON.parse(text).seq);
    };`;
  const { server, page } = await view(t, { before });
  const part = { width: 100, height: 60, screen: screenSize };
  const red = await jpegOf(100, 60, 'rgb(200, 0, 0)');
  const green = await jpegOf(100, 60, 'rgb(0, 200, 0)');
  server.sendPicture({ ...part, seq: 2, x: 300, y: 200, jpeg: red });
  await server.receives('the first part is drawn', ({ seq }) => seq === 2);
  server.sendPicture({ ...part, seq: 3, x: 350, y: 200, jpeg: green });
  await server.receives('the second is drawn', ({ seq }) => seq === 3);
  const expected = ['draw at 0', 'ack 1', 'draw at 300', 'ack 2', 'draw at 350', 'ack 3'];
  assert.deepEqual(await page.evaluate('done'), expected);
  const near = async (x: number, y: number, colour: number[]): Promise<void> => {
    const found = await colourAt(page, x, y);
    const far = found.some((value, index) => Math.abs(value - colour[index]!) > 4);
    assert.ok(!far, `${x},${y} is ${found} and not ${colour}`);
  };
  await near(310, 210, [200, 0, 0]);
  await near(360, 210, [0, 200, 0]);
  await near(299, 199, [40, 80, 120]);
  await near(450, 210, [40, 80, 120]);
});

test('a small picture that comes behind a large one waits for it', limit, async (t) => {
  const { server, page } = await view(t);
  const [width, height] = screenSize;
  const large = await jpegOf(width, height, 'rgb(200, 0, 0)');
  const small = await jpegOf(8, 8, 'rgb(0, 200, 0)');
  server.sendPicture({ seq: 2, x: 0, y: 0, width, height, screen: screenSize, jpeg: large });
  server.sendPicture({ seq: 3, x: 0, y: 0, width: 8, height: 8, screen: screenSize, jpeg: small });
  await server.receives('both are drawn', ({ seq }) => seq === 3);
  const acks = server.received.filter(({ type }) => type === 'ack').map(({ seq }) => seq);
  assert.deepEqual(acks, [1, 2, 3]);
  assert.ok((await colourAt(page, 4, 4))[1]! > 150, 'the small one lies upon the large one');
});

test('the canvas takes the size of a screen that changes', limit, async (t) => {
  const { server, page } = await view(t);
  const jpeg = await jpegOf(500, 900, 'rgb(200, 0, 0)');
  server.sendPicture({ seq: 2, x: 0, y: 0, width: 500, height: 900, screen: [500, 900], jpeg });
  await server.receives('it is drawn', ({ seq }) => seq === 2);
  assert.deepEqual(await page.evaluate(canvasSize), [500, 900]);
  const box = await page.locator('#screen').boundingBox();
  const stage = await page.locator('#stage').boundingBox();
  assert.equal(box?.height, stage?.height, 'it is as high as there is room');
  assert.ok(Math.abs(box!.width / box!.height - 5 / 9) < 0.01, 'it is not distorted');
});

test('a broken picture is acknowledged, so that the next ones come', limit, async (t) => {
  const { server } = await view(t);
  const jpeg = Buffer.from('this is no JPEG');
  server.sendPicture({ seq: 2, x: 0, y: 0, width: 9, height: 9, screen: [1600, 1000], jpeg });
  await server.receives('the acknowledgement', ({ seq }) => seq === 2);
});

test('a page that loses its connection says so, and comes back', limit, async (t) => {
  const { server, page } = await view(t);
  server.refusal = { code: 503, message: 'The server starts.' };
  server.drop();
  await shows(page, 'state', 'Connection lost. Reconnecting…');
  await server.claimed(2);
  server.refusal = undefined;
  await server.opened(2);
  await shows(page, 'state', 'Live');
  assert.deepEqual(server.claims.slice(0, 2), [{}, { ticket: 'ticket-1' }]);
  await showScreen(server, 2);
});

test('a link that somebody else has used is not tried again', limit, async (t) => {
  const message = 'This link was used by somebody else.';
  const { server, page } = await load(t, {
    prepare: (mock) => (mock.refusal = { code: 410, message }),
  });
  await shows(page, 'notice', 'This link does not work any more');
  await shows(page, 'notice', message);
  assert.deepEqual(server.received, []);
});

test('a link that nobody knows is said to be none', limit, async (t) => {
  const refusal = { code: 404, message: '' };
  const { page } = await load(t, { prepare: (mock) => (mock.refusal = refusal) });
  await shows(page, 'notice', 'There is no such link');
});

test('a link that dies while the page is open is said to be dead', limit, async (t) => {
  const { server, page } = await view(t);
  server.drop(4410, 'It was taken back.');
  await shows(page, 'notice', 'This link does not work any more');
  await shows(page, 'notice', 'It was taken back.');
  assert.equal(server.claims.length, 1);
});

test('where there are too many viewers one can try again', limit, async (t) => {
  const { server, page } = await load(t, { prepare: (mock) => (mock.closeWith = 1013) });
  await shows(page, 'notice', 'Too many viewers');
  server.closeWith = undefined;
  await page.getByRole('button', { name: 'Try again' }).click();
  await shows(page, 'state', 'Live');
});

test('a session that ends leaves its last picture, the reason, and a link', limit, async (t) => {
  const { server, page } = await view(t);
  const recording_url = '/recordings/1';
  server.send({ type: 'ended', reason: 'idle_timeout', recording_url });
  server.drop(1000);
  await shows(page, 'notice', 'This session has ended');
  await shows(page, 'notice', 'Nobody had used it for a while.');
  const link = page.getByRole('link', { name: 'Open the recording' });
  assert.equal(await link.getAttribute('href'), server.url + recording_url);
  assert.equal(await link.getAttribute('rel'), 'noreferrer');
  await server.receivesType('close');
  assert.ok((await colourAt(page, 10, 10))[2]! > 100, 'the picture is still there');
  assert.equal(server.claims.length, 1, 'and the page stays away');
});

test('a recording whose address is a script gets no link', limit, async (t) => {
  const { server, page } = await view(t);
  server.send({ type: 'ended', reason: 'crashed', recording_url: 'javascript:alert(1)' });
  await shows(page, 'notice', 'Its browser crashed.');
  assert.equal(await page.getByRole('link').count(), 0);
});

test('the page keeps to the policy that it is served with', limit, async (t) => {
  const before = `globalThis.violations = [];
    document.addEventListener('securitypolicyviolation',
      ({ violatedDirective, blockedURI }) => violations.push([violatedDirective, blockedURI]));`;
  const { server, page } = await viewAndFocus(t, { before });
  server.send({ type: 'error', message: 'That did not work.' });
  await shows(page, 'toasts', 'That did not work.');
  assert.deepEqual(await page.evaluate('violations'), []);
  const styles = await page.evaluate('document.styleSheets.length');
  assert.equal(styles, 1);
});

test('the page weighs less than 25 KB on the way', limit, () => {
  const dist = new URL('../../live/dist/', import.meta.url);
  const sizes = readdirSync(dist).map((name) => gzipSync(readFileSync(new URL(name, dist))).length);
  assert.equal(sizes.length, 3);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total < 25_000, `it weighs ${total} bytes`);
});
