// How much DevTools traffic passes: the largest messages, and what a client may leave unread.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DevToolsClient } from '../support/cdp.ts';
import { eventually, within } from '../support/eventually.ts';
import { chromium, type Page } from '../support/packages.ts';
import { residentMemoryOf } from '../support/processes.ts';
import { RawWebSocket } from '../support/raw_websocket.ts';
import { startServer } from '../support/server.ts';
import { openSession, sessionHasEnded, statusOf } from '../support/sessions.ts';
import { quiet } from '../support/settings.ts';

const server = await startServer({ config: quiet() });
after(() => server.stop());

const limit = { timeout: 300_000 };
const mebibyte = 1024 * 1024;

/** Attaches to the page as Playwright does, whose messages may have 256 MiB; Node's own 128. */
async function commandsOf(address: string) {
  const browser = await chromium.connectOverCDP(address);
  const page = browser.contexts()[0]?.pages()[0] as Page;
  return page.context().newCDPSession(page);
}

// A message is a bit longer than the text in it.
const envelope = 4096;

test('a browser may say 256 MiB in a message, and more ends its session', limit, async () => {
  const { id, cdp_url: address } = await openSession(server);
  const { id: neighbour, cdp_url: neighbourly } = await openSession(server);
  const commands = await commandsOf(address);
  const textOf = async (length: number): Promise<string> => {
    const expression = `'x'.repeat(${length - 2}) + 'ä'`; // in UTF-8 so many bytes
    const { result } = await commands.send('Runtime.evaluate', { expression, returnByValue: true });
    return result.value;
  };

  const most = await textOf(256 * mebibyte - envelope);
  assert.equal(most.length, 256 * mebibyte - envelope - 1);
  assert.match(most.slice(-3), /^xxä$/);

  await assert.rejects(textOf(256 * mebibyte + 1), /closed/);
  assert.equal(await sessionHasEnded(server, id, 10_000), 'crashed');
  assert.equal(await statusOf(server, neighbour), 'running');
  await (await commandsOf(neighbourly)).send('Runtime.evaluate', { expression: '1' });
});

// Chromium 156 reads commands into a buffer of 100 MiB, and never again once one does not fit.
test('a browser may be told 96 MiB in a message, and more ends the client alone', limit, async () => {
  const { id, cdp_url: address } = await openSession(server);
  const commands = await commandsOf(address);
  const { result: page } = await commands.send('Runtime.evaluate', { expression: 'globalThis' });
  const tellLength = async (length: number): Promise<string> => {
    const { result } = await commands.send('Runtime.callFunctionOn', {
      objectId: page.objectId!,
      functionDeclaration: '(text) => `${text.length} ${text.slice(-3)}`',
      arguments: [{ value: 'x'.repeat(length - 1) + 'ä' }],
      returnByValue: true,
    });
    return result.value;
  };
  assert.equal(await tellLength(96 * mebibyte - envelope), `${96 * mebibyte - envelope} xxä`);
  await assert.rejects(tellLength(96 * mebibyte), /closed/);

  const { pathname, search } = new URL(address.replace(/^ws/, 'http'));
  const raw = await RawWebSocket.open(server.url, `${pathname}${search}`);
  const padding = 'x'.repeat(96 * mebibyte);
  raw.sendText(`{"id":1,"method":"Browser.getVersion","params":{"padding":"${padding}"}}`);
  assert.equal(await raw.goodbyeCode(), 1009);

  assert.equal(await statusOf(server, id), 'running');
  const next = await DevToolsClient.connect(address);
  assert.ok(await next.call('Browser.getVersion'));
  await next.close();
});

/** A client that asks for a mebibyte a time. The page counts in `asked` how often it did. */
class Hog {
  readonly websocket: RawWebSocket;
  #commands = 0;

  private constructor(websocket: RawWebSocket) {
    this.websocket = websocket;
  }

  static async connect(address: string): Promise<Hog> {
    const { pathname, search, origin } = new URL(address.replace(/^ws/, 'http'));
    const [page] = (await server.request('GET', `/json/list${search}`)).body;
    const path = `${pathname}devtools/page/${page.id}${search}`;
    return new Hog(await RawWebSocket.open(origin, path));
  }

  ask(): void {
    const expression = `globalThis.asked = (globalThis.asked ?? 0) + 1, 'x'.repeat(${mebibyte})`;
    const params = { expression, returnByValue: true };
    this.#commands += 1;
    this.websocket.sendText(
      JSON.stringify({ id: this.#commands, method: 'Runtime.evaluate', params }),
    );
  }

  /** The id of the next answer, which is the mebibyte that was asked for. */
  async answer(): Promise<number> {
    const frame = await this.websocket.next();
    assert.ok(frame, 'the connection goes on');
    const { id, result } = JSON.parse(`${frame.payload}`);
    assert.equal(result?.result.value.length, mebibyte);
    return id;
  }
}

/** What may wait for one client is 16 MiB and a message; besides there is one in each hand. */
const growthMaxMiB = 40;

/** For one answer of a browser that is not held up, also on a machine that is busy. */
const promptMs = 5_000;

test('who does not read is slowed, loses nothing and disturbs nobody', limit, async () => {
  const { cdp_url: address } = await openSession(server);
  const other = await DevToolsClient.connect(address);
  const attachment = await other.attach();
  const hog = await Hog.connect(address);
  const before = residentMemoryOf(server.pid);
  hog.websocket.pause();

  // One command at a time, so that only the hog's own answers fill what it leaves unread.
  const isAsked = async (count: number): Promise<boolean> =>
    eventually(
      `the page is asked the ${count}th time`,
      async () => (await other.evaluate('globalThis.asked', attachment)) === count,
      promptMs,
    ).catch(() => false);
  let asked = 0;
  do hog.ask();
  while ((await isAsked(asked + 1)) && (asked += 1) < 100);
  assert.ok(asked >= 16, `what it leaves unread waits for it, ${asked} MiB`);
  assert.ok(asked < 64, `its commands wait once it left ${asked} MiB unread`);

  for (let index = 0; index < 20; index += 1) {
    const answered = other.evaluate(`${index}`, attachment);
    assert.equal(await within('the other one is answered', promptMs, answered), index);
  }
  const grown = residentMemoryOf(server.pid) - before;
  assert.ok(grown < growthMaxMiB, `the server has grown by ${grown} MiB`);

  hog.websocket.resume();
  for (let id = 1; id <= asked + 1; id += 1) assert.equal(await hog.answer(), id);
});

test('who holds up the others by not reading is put out after 30 s', limit, async () => {
  const { id, cdp_url: address } = await openSession(server);
  const other = await DevToolsClient.connect(address);
  const neighbour = await DevToolsClient.connect((await openSession(server)).cdp_url);
  const hog = await Hog.connect(address);
  const before = residentMemoryOf(server.pid);
  hog.websocket.pause();
  const begun = performance.now();
  for (let index = 0; index < 1000; index += 1) hog.ask();

  let grown = 0;
  const isOut = async (): Promise<boolean> => {
    const answered = neighbour.call('Browser.getVersion');
    await within('another session is served all the while', promptMs, answered);
    grown = Math.max(grown, residentMemoryOf(server.pid) - before);
    return server.log.some((line) => line.includes('"devtools_party_expelled"'));
  };
  await eventually('the hog is put out', isOut, 60_000);
  const seconds = (performance.now() - begun) / 1000;
  assert.ok(seconds >= 29 && seconds < 45, `it was put out after ${seconds} s`);
  assert.ok(grown < growthMaxMiB, `the server has grown by ${grown} MiB`);

  assert.match((await other.call('Browser.getVersion')).product, /Chrome/, 'the other one goes on');
  assert.equal(await statusOf(server, id), 'running');
  hog.websocket.resume();
  assert.equal(await hog.websocket.goodbyeCode(), 1006, 'the line ends amid a message');
});
