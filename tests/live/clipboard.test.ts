// Text between the viewer's clipboard and the session.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limit, shows, strokes, viewAndFocus } from './viewer.ts';

test('text of 10 KB is pasted in one piece, and its key is not told', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const text = 'Zeile mit Ä\n'.repeat(800);
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
  await page.keyboard.press('Control+v');
  const paste = await server.receivesType('paste');
  assert.equal(paste['text'], text);
  await server.receives('Ctrl is let go', ({ key, event }) => key === 'Control' && event === 'up');
  assert.deepEqual(strokes(server.input), [
    'down ControlLeft Control 2', 'paste', 'up ControlLeft Control 0',
  ]);
});

test('text of more than 1 MiB is refused with a word', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.evaluate(`(() => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', 'ä'.repeat(600_000));
    document.querySelector('#typing').dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, cancelable: true }));
  })()`);
  await shows(page, 'toasts', 'too long to paste');
  assert.deepEqual(server.input, []);
});

test('what is copied in the session comes to the clipboard of the viewer', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.keyboard.press('Control+c');
  await server.receivesType('copy');
  await server.receives('Ctrl is let go', ({ key, event }) => key === 'Control' && event === 'up');
  assert.deepEqual(strokes(server.input), [
    'down ControlLeft Control 2', 'down KeyC c 2', 'copy',
    'up KeyC c 2', 'up ControlLeft Control 0',
  ]);
  server.send({ type: 'copied', text: 'from the session' });
  await shows(page, 'toasts', 'Copied');
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), 'from the session');
});
