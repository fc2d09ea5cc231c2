// The live view of real sessions: sessions with a page to try it on, and viewers, who look at the
// page that the server serves, in a real browser, or come with a bare socket.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { eventually } from './eventually.ts';
import { type Browser, chromium, type Page } from './packages.ts';
import type { Server } from './server.ts';
import { endSession, openSession } from './sessions.ts';

/** A browser for viewers. */
export const launchViewers = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/lib/chromium/chromium-headless-shell',
    args: ['--no-sandbox', '--disable-background-networking'],
  });

export type Kind = 'headful' | 'headless';
export type Watched = { id: string; link: string; page: Page };

/** A session with a page to write on, and the link to its live view. */
export async function openWatched(
  t: TestContext,
  server: Server,
  kind: Kind,
  liveView: object = {},
): Promise<Watched> {
  const body = {
    session: { live_view: liveView },
    browser: { headless: { active: kind === 'headless' } },
  };
  const { id, cdp_url, live_view_url: link } = (await openSession(server, { body })) as any;
  assert.match(link, /\/live\/[0-9a-f]{64}$/);
  const browser = await chromium.connectOverCDP(cdp_url);
  const [page] = browser.contexts()[0]!.pages();
  await page!.setContent(`<body style="margin:0;background:rgb(200,30,60)">
    <textarea id="text" style="position:absolute;left:100px;top:100px;width:300px;height:100px">
    </textarea><button style="position:absolute;left:600px;top:100px;width:200px;height:100px"
    onclick="document.body.style.background='rgb(20,160,40)'">Green</button></body>`);
  await page!.evaluate(`document.getElementById('text').value = '';
    window.seen = [];
    for (const type of ['compositionstart', 'compositionend', 'keydown', 'mousedown', 'wheel']) {
      addEventListener(type, (event) => seen.push(type + ':' + (event.data ?? event.key ?? '')));
    }`);
  t.after(async () => {
    await browser.close();
    await endSession(server, id);
  });
  return { id, link, page: page! };
}

/** The live view of that link in a viewer's window, live. */
export async function watch(t: TestContext, viewers: Browser, link: string): Promise<Page> {
  const context = await viewers.newContext({ viewport: { width: 1500, height: 1100 } });
  t.after(() => context.close());
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const window = await context.newPage();
  await window.goto(link);
  await eventually('a picture is shown', async () => (await screenWidth(window)) > 300, 20_000);
  return window;
}

export const screenWidth = (window: Page): Promise<number> =>
  window.evaluate(`document.querySelector('canvas').width`);

/** Red, green and blue of a pixel of the session's page, as the viewer sees it. */
export async function colourSeen(
  window: Page,
  kind: Kind,
  x: number,
  y: number,
): Promise<number[]> {
  const context = `document.querySelector('canvas').getContext('2d')`;
  const read = `[...${context}.getImageData(${x}, ${y + barsOf(kind)}, 1, 1).data].slice(0, 3)`;
  return window.evaluate(read);
}

const barsOf = (kind: Kind): number => (kind === 'headful' ? 87 : 0);

/** Where a place of the session's page is in the viewer's window. */
export async function pointOf(
  window: Page,
  kind: Kind,
  x: number,
  y: number,
): Promise<[number, number]> {
  const box = await window.locator('#screen').boundingBox();
  assert.ok(box);
  const [width, height] = (await window.evaluate(
    `(({ width, height }) => [width, height])(document.querySelector('canvas'))`,
  )) as [number, number];
  const place = y + barsOf(kind);
  return [box.x + ((x + 0.5) * box.width) / width, box.y + ((place + 0.5) * box.height) / height];
}

export type Bare = {
  socket: WebSocket;
  ticket: string;
  said: any[];
  say: (message: object) => void;
};

/** A bare socket to the live view of that link, as a hostile viewer opens one. */
export async function openSocket(link: string, known?: string): Promise<Bare> {
  const ticket: string = known ?? (await claim(link)).data.ticket;
  const socket = new WebSocket(`${link.replace('http', 'ws')}/socket?ticket=${ticket}`);
  const said: any[] = [];
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') said.push(JSON.parse(data));
  });
  await once(socket, 'open');
  return { socket, ticket, said, say: (message) => socket.send(JSON.stringify(message)) };
}

export async function claim(link: string, body: object = {}): Promise<any> {
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await fetch(`${link}/claim`, init);
  return { status: answer.status, ...((await answer.json()) as object) };
}

