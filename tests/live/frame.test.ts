// The page in a frame of somebody else's page.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { FrameLocator } from '../support/packages.ts';
import { eventually } from '../support/eventually.ts';
import type { MockServer } from './mock_server.ts';
import { limit, load, showScreen, type Viewer } from './viewer.ts';

type Framed = Viewer & { frame: FrameLocator; told: () => Promise<any[]> };

const sandbox = 'sandbox="allow-same-origin allow-scripts"';

/** Opens a page on another origin that has the live page in a frame with these attributes. */
async function embed(t: TestContext, attributes: string): Promise<Framed> {
  const viewer = await load(t, { prepare: refuseAll });
  const { server, page } = viewer;
  server.claims.length = 0;
  server.refusal = undefined;
  const outer = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<!doctype html><title>Outer</title>
      <script>told = []; onmessage = ({ data }) => told.push(data);</script>
      <iframe src="${server.url}/live/secret-token" ${attributes} width=700 height=500></iframe>`);
  });
  outer.listen(0, '127.0.0.1');
  await once(outer, 'listening');
  t.after(() => outer.close());
  // Another name, and so another site, not merely another port.
  await page.goto(`http://localhost:${(outer.address() as AddressInfo).port}`);
  const frame = page.frameLocator('iframe');
  return { server, page, frame, told: () => page.evaluate('told') as Promise<any[]> };
}

/** For the page that comes with the viewer, which is not the one in the frame. */
function refuseAll(server: MockServer): void {
  server.refusal = { code: 410, message: '' };
}

test('in a sandboxed frame of another site the page works', limit, async (t) => {
  const allowed = `${sandbox} allow="clipboard-read; clipboard-write"`;
  const { server, page, frame, told } = await embed(t, allowed);
  await server.opened(1);
  await showScreen(server);
  await frame.locator('#screen').click();
  await page.keyboard.press('a');
  await server.receives('the key', ({ key, event }) => key === 'a' && event === 'up');
  server.send({ type: 'dialog', kind: 'alert', message: 'Hello', default_text: '' });
  await frame.getByRole('button', { name: 'OK' }).click();
  await server.receivesType('dialog_answer');
  server.send({ type: 'navigation', url: 'https://a.test/b?code=secret#x', title: 'B' });
  server.send({ type: 'viewers', viewers: 2, driving: false });
  server.send({ type: 'ended', reason: 'completed', recording_url: null });
  await eventually('the page around it is told all', async () => (await told()).length > 4, 5_000);
  const source = 'capstan-live';
  assert.deepEqual(await told(), [
    { source, type: 'connected', role: 'control' },
    { source, type: 'control', driving: true },
    { source, type: 'navigation', url: 'https://a.test/b', title: 'B' },
    { source, type: 'control', driving: false },
    { source, type: 'ended', reason: 'completed' },
  ]);
});

test('a frame that may not write to the clipboard shows what was copied', limit, async (t) => {
  const { server, frame } = await embed(t, sandbox);
  await server.opened(1);
  await showScreen(server);
  await frame.locator('#screen').click();
  server.send({ type: 'copied', text: 'from the session' });
  const panel = frame.getByRole('dialog', { name: 'Copied in the session' });
  await panel.waitFor();
  const field = panel.getByRole('textbox');
  assert.equal(await field.inputValue(), 'from the session');
  const selected = await field.evaluate((each: any) => each.selectionEnd - each.selectionStart);
  assert.equal(selected, 'from the session'.length);
  await panel.getByRole('button', { name: 'Close' }).click();
  await panel.waitFor({ state: 'hidden' });
});

test('a frame that gives the page no origin is told what it needs', limit, async (t) => {
  const { frame } = await embed(t, 'sandbox="allow-scripts"');
  await frame.getByText('This frame allows too little').first().waitFor();
});

test('a frame without scripts is told what it needs', limit, async (t) => {
  const { frame } = await embed(t, 'sandbox=""');
  await frame.locator('noscript p').waitFor();
});
