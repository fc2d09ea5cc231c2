// A viewer of a session: the built page in real Chromium, before a mock server.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { chromium, type Page } from '../support/packages.ts';
import { type Message, MockServer, startMockServer } from './mock_server.ts';

const runner = path.resolve(import.meta.dirname, '../../runner');
// The built page is what is tested, so it is built of what is here.
execFileSync(process.execPath, ['--run', 'build:live'], { cwd: runner, stdio: 'pipe' });

const browser = await chromium.launch({
  executablePath: '/usr/lib/chromium/chromium-headless-shell',
  args: ['--no-sandbox', '--disable-background-networking'],
});
after(() => browser.close());
const studio = await browser.newPage();

export const limit = { timeout: 60_000 };

export type Viewer = { server: MockServer; page: Page };
export type Wishes = {
  /** What differs in the server's first message. */
  hello?: object;
  /** JavaScript that runs before the page's own. */
  before?: string;
  /** Behind the page's address: "?toolbar=0". */
  query?: string;
  touch?: boolean;
  pixelRatio?: number;
  /** Called before the page is opened. */
  prepare?: (server: MockServer) => void;
};

/** Opens the page in a window of 800 x 600, without waiting for anything in it. */
export async function load(t: TestContext, wishes: Wishes = {}): Promise<Viewer> {
  const server = await startMockServer();
  t.after(() => server.stop());
  server.hello = { ...server.hello, ...wishes.hello };
  wishes.prepare?.(server);
  const context = await browser.newContext({
    viewport: { width: 800, height: 600 },
    hasTouch: wishes.touch ?? false,
    deviceScaleFactor: wishes.pixelRatio ?? 1,
    reducedMotion: 'reduce',
  });
  t.after(() => context.close());
  const page = await context.newPage();
  if (wishes.before !== undefined) await page.addInitScript(wishes.before);
  await page.goto(`${server.url}/live/secret-token${wishes.query ?? ''}`);
  return { server, page };
}

/** The same, and waits until the page is live and shows a screen of 1600 x 1000. */
export async function view(t: TestContext, wishes: Wishes = {}): Promise<Viewer> {
  const viewer = await load(t, wishes);
  await viewer.server.opened(1);
  await showScreen(viewer.server);
  return viewer;
}

export const screenSize: [number, number] = [1600, 1000];

/** Sends a first picture of the whole screen, and waits until it is drawn. */
export async function showScreen(server: MockServer, seq = 1): Promise<void> {
  const [width, height] = screenSize;
  const jpeg = await jpegOf(width, height, 'rgb(40, 80, 120)');
  server.sendPicture({ seq, x: 0, y: 0, width, height, screen: screenSize, jpeg, whole: true });
  await server.receives(`picture ${seq} is drawn`, (each) => each['seq'] === seq);
}

export async function jpegOf(width: number, height: number, colour: string): Promise<Buffer> {
  const url = (await studio.evaluate(`(() => {
    const canvas = document.createElement('canvas');
    canvas.width = ${width};
    canvas.height = ${height};
    const context = canvas.getContext('2d');
    context.fillStyle = '${colour}';
    context.fillRect(0, 0, canvas.width, canvas.height);
    return canvas.toDataURL('image/jpeg', 1);
  })()`)) as string;
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

/** Evaluates to the canvas's own width and height, in pixels of the session's screen. */
export const canvasSize = `(({ width, height }) => [width, height])(
  document.querySelector('canvas'))`;

/** Red, green and blue of a pixel of the page's canvas. */
export async function colourAt(page: Page, x: number, y: number): Promise<number[]> {
  const context = `document.querySelector('canvas').getContext('2d')`;
  const read = `[...${context}.getImageData(${x}, ${y}, 1, 1).data].slice(0, 3)`;
  return page.evaluate(read) as Promise<number[]>;
}

/** Where a pixel of the session's screen is in the window. */
export async function windowPoint(page: Page, x: number, y: number): Promise<[number, number]> {
  const box = await page.locator('#screen').boundingBox();
  if (box === null) throw new Error('there is no screen to see');
  const [width, height] = screenSize;
  return [box.x + ((x + 0.5) * box.width) / width, box.y + ((y + 0.5) * box.height) / height];
}

/** Clicks there, so that the session has the keyboard, and forgets what was sent for it. */
export async function focusScreen({ server, page }: Viewer): Promise<void> {
  await page.mouse.click(...(await windowPoint(page, 800, 500)));
  await server.receives('the click ends', ({ event }) => event === 'up');
  server.received.length = 0;
}

export async function viewAndFocus(t: TestContext, wishes: Wishes = {}): Promise<Viewer> {
  const viewer = await view(t, wishes);
  await focusScreen(viewer);
  return viewer;
}

/** What was sent for what was typed, short: "down KeyA a". */
export function strokes(messages: Message[]): string[] {
  return messages.map((message) =>
    message.type === 'key'
      ? `${message['event']} ${message['code']} ${message['key']} ${message['modifiers']}`
      : message.type,
  );
}

/** Waits until the element with that id is shown and has that text in it. */
export async function shows(page: Page, id: string, text: string): Promise<void> {
  const place = page.locator(`#${id}`);
  const isThere = async (): Promise<boolean> =>
    (await place.isVisible()) && (await place.innerText()).includes(text);
  await eventually(`#${id} shows "${text}"`, isThere, 10_000);
}
