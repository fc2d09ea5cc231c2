// What the viewer does, as the session is told it.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  focusScreen, limit, shows, showScreen, strokes, view, type Viewer, type Wishes, windowPoint,
} from './viewer.ts';

async function viewAndFocus(t: TestContext, wishes: Wishes = {}): Promise<Viewer> {
  const viewer = await view(t, wishes);
  await focusScreen(viewer);
  return viewer;
}

for (const pixelRatio of [1, 2]) {
  const title = `clicks come as pixels of the session's screen, on a display of ${pixelRatio}x`;
  test(title, limit, async (t) => {
    const { server, page } = await view(t, { pixelRatio });
    const [width, height] = (await page.evaluate(
      '(({ width, height }) => [width, height])(document.querySelector("canvas"))',
    )) as [number, number];
    assert.deepEqual([width, height], [1600, 1000]);
    // The window is half as wide as the screen, so one of its pixels covers two.
    for (const [x, y] of [[20, 30], [1580, 980], [801, 501]] as const) {
      server.received.length = 0;
      await page.mouse.click(...(await windowPoint(page, x, y)));
      await server.receives('the click ends', ({ event }) => event === 'up');
      const [down, up] = server.input;
      for (const message of [down!, up!]) {
        assert.ok(Math.abs(message['x'] - x) <= 1 && Math.abs(message['y'] - y) <= 1, `${x},${y}`);
      }
      const { type, event, button, buttons, clicks, modifiers } = down!;
      const told = { type, event, button, buttons, clicks, modifiers };
      const expected = { type: 'pointer', button: 0, clicks: 1, modifiers: 0 };
      assert.deepEqual(told, { ...expected, event: 'down', buttons: 1 });
      assert.equal(up!['buttons'], 0);
    }
  });
}

test('double clicks, other buttons and modifier keys are told', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  const place = await windowPoint(page, 400, 400);
  await page.mouse.dblclick(...place);
  await page.mouse.click(...place, { button: 'right' });
  await page.keyboard.down('Shift');
  await page.mouse.click(...place, { button: 'middle' });
  await server.receives('the middle button', (each) => each['button'] === 1 && each['event'] === 'up');
  const told = server.input
    .filter(({ type }) => type === 'pointer')
    .map(({ event, button, clicks, modifiers }) => [event, button, clicks, modifiers].join(' '));
  assert.deepEqual(told, [
    'down 0 1 0', 'up 0 1 0', 'down 0 2 0', 'up 0 2 0',
    'down 2 1 0', 'up 2 1 0',
    'down 1 1 8', 'up 1 1 8',
  ]);
});

test('a drag that leaves the screen goes on, at its edge', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.mouse.move(...(await windowPoint(page, 100, 100)));
  await page.mouse.down();
  await page.mouse.move(400, 5);
  await page.mouse.up();
  const up = await server.receives('the button goes up', ({ event }) => event === 'up');
  assert.equal(up['y'], 0);
  const moves = server.received.filter(({ event, buttons }) => event === 'move' && buttons === 1);
  assert.equal(moves.at(-1)?.['y'], 0);
});

test('many moves within a frame are told as one, the last', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.evaluate(`new Promise((done) => requestAnimationFrame(() => {
    const canvas = document.querySelector('canvas');
    const { left, top } = canvas.getBoundingClientRect();
    for (let x = 1; x <= 50; x += 1) {
      canvas.dispatchEvent(new PointerEvent('pointermove',
        { clientX: left + x, clientY: top + 1, button: -1 }));
    }
    done();
  }))`);
  await page.keyboard.press('a');
  await server.receivesType('key');
  await server.receives('the move', ({ event }) => event === 'move');
  const moves = server.received.filter(({ event }) => event === 'move');
  assert.equal(moves.length, 1);
  assert.ok(Math.abs(moves[0]!['x'] - 100) <= 2, `${moves[0]!['x']}`);
});

test('the wheel is told in pixels', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.mouse.move(...(await windowPoint(page, 600, 300)));
  await page.mouse.wheel(30, 120);
  const { x, y, dx, dy } = await server.receivesType('wheel');
  assert.ok(Math.abs(x - 600) <= 1 && Math.abs(y - 300) <= 1);
  assert.deepEqual([dx, dy], [30, 120]);
});

test('a wheel that counts lines is told in pixels, too', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.evaluate(`document.querySelector('canvas').dispatchEvent(
    new WheelEvent('wheel', { deltaY: 3, deltaMode: 1, cancelable: true }))`);
  assert.equal((await server.receivesType('wheel'))['dy'], 48);
});

test('keys are told as they go down and up', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.keyboard.press('a');
  await page.keyboard.press('Shift+B');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Escape');
  await server.receives('the last key', (each) => each['key'] === 'Escape' && each['event'] === 'up');
  assert.deepEqual(strokes(server.input), [
    'down KeyA a 0', 'up KeyA a 0',
    'down ShiftLeft Shift 8', 'down KeyB B 8', 'up KeyB B 8', 'up ShiftLeft Shift 0',
    'down Tab Tab 0', 'up Tab Tab 0',
    'down Escape Escape 0', 'up Escape Escape 0',
  ]);
});

test('a character that no key made is told as text', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.keyboard.insertText('ä');
  await page.keyboard.insertText('🎉');
  await server.receives('the second', ({ text }) => text === '🎉');
  assert.deepEqual(server.input, [
    { type: 'commit', text: 'ä' },
    { type: 'commit', text: '🎉' },
  ]);
});

test('an input method composes and commits, and its keys are not told', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  const devtools = await page.context().newCDPSession(page);
  const compose = (text: string, at: number) =>
    devtools.send('Input.imeSetComposition', { text, selectionStart: at, selectionEnd: at });
  const key = { type: 'rawKeyDown', key: 'Process', code: 'KeyN', windowsVirtualKeyCode: 229 } as const;
  await devtools.send('Input.dispatchKeyEvent', key);
  await compose('に', 1);
  await devtools.send('Input.dispatchKeyEvent', key);
  await compose('にほ', 1);
  await devtools.send('Input.insertText', { text: '日本' });
  await page.keyboard.press('b');
  await server.receives('the key after it', ({ event }) => event === 'up');
  const composed = server.input.filter(({ type }) => type !== 'key');
  assert.deepEqual(composed.slice(0, 2), [
    { type: 'compose', text: 'に', start: 1, end: 1 },
    { type: 'compose', text: 'にほ', start: 1, end: 1 },
  ]);
  assert.deepEqual(composed.at(-1), { type: 'commit', text: '日本' });
  assert.equal(composed.filter(({ type }) => type === 'commit').length, 1);
  assert.deepEqual(strokes(server.input).slice(-2), ['down KeyB b 0', 'up KeyB b 0']);
  assert.equal(server.input.filter(({ type }) => type === 'key').length, 2);
});

test('a composition that is given up commits nothing', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  const devtools = await page.context().newCDPSession(page);
  const place = { selectionStart: 0, selectionEnd: 0 };
  await devtools.send('Input.imeSetComposition', { text: 'に', ...place });
  await devtools.send('Input.imeSetComposition', { text: '', ...place });
  assert.deepEqual(await server.receivesType('commit'), { type: 'commit', text: '' });
});

test('text of 10 KB is pasted in one piece, and the key that pastes is not told', limit, async (t) => {
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
    'down ControlLeft Control 2', 'down KeyC c 2', 'copy', 'up KeyC c 2', 'up ControlLeft Control 0',
  ]);
  server.send({ type: 'copied', text: 'from the session' });
  await shows(page, 'toasts', 'Copied');
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), 'from the session');
});

test('keys and buttons are let go when the focus goes elsewhere', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.keyboard.down('a');
  await page.getByText('Log', { exact: true }).click();
  await server.receivesType('release');
  await page.keyboard.up('a');
  assert.deepEqual(strokes(server.input), ['down KeyA a 0', 'release'], 'the key is forgotten');
});

test('keys and buttons are let go when the page is hidden or left', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.keyboard.down('a');
  await page.evaluate(`
    Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));`);
  await server.receivesType('release');
  server.received.length = 0;
  await page.keyboard.down('b');
  await server.receivesType('key');
  await page.goto('about:blank');
  await server.receivesType('close');
  assert.deepEqual(strokes(server.input), ['down KeyB b 0', 'release']);
});

test('Ctrl+Alt gives the keyboard back, and Tab then leads on', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await shows(page, 'hint', 'Press Ctrl+Alt to release the keyboard');
  await page.keyboard.down('Control');
  await page.keyboard.down('Alt');
  await page.keyboard.up('Alt');
  await server.receivesType('release');
  await page.keyboard.up('Control');
  const focused = () => page.evaluate('document.activeElement.id');
  assert.equal(await focused(), 'use-keyboard');
  assert.ok(await page.locator('#hint').isHidden());
  server.received.length = 0;
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focused(), 'collapse', 'the way back leads to the toolbar');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'typing', 'the button gives the keyboard to the session again');
  await page.keyboard.press('x');
  await server.receives('the key', ({ key }) => key === 'x');
  const before = strokes(server.input).filter((stroke) => !stroke.includes('KeyX'));
  assert.ok(!before.some((stroke) => stroke.includes('Tab')), `${before}`);
});

test('Ctrl+Alt with another key is for the session', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.keyboard.press('Control+Alt+t');
  await server.receives('all is let go', ({ code, event }) => code === 'ControlLeft' && event === 'up');
  assert.deepEqual(strokes(server.input).slice(2, 3), ['down KeyT t 3']);
  assert.equal(await page.evaluate('document.activeElement.id'), 'typing');
});

test('the hint can be sent away for good', limit, async (t) => {
  const { page } = await viewAndFocus(t);
  await page.getByRole('button', { name: 'Don’t show this again' }).click();
  assert.equal(await page.evaluate('document.activeElement.id'), 'typing');
  await page.locator('#typing').blur();
  await page.mouse.click(...(await windowPoint(page, 800, 500)));
  assert.equal(await page.evaluate('document.activeElement.id'), 'typing');
  assert.ok(await page.locator('#hint').isHidden());
});

test('a viewer who may only look sends nothing but acknowledgements', limit, async (t) => {
  const { server, page } = await view(t, { hello: { role: 'view', driving: false } });
  await shows(page, 'role', 'View only');
  await page.mouse.click(...(await windowPoint(page, 800, 500)));
  await page.mouse.wheel(0, 100);
  await page.keyboard.press('a');
  await page.evaluate(`document.querySelector('#typing').focus()`);
  await page.keyboard.press('b');
  await page.keyboard.insertText('ä');
  await showScreen(server, 2); // whatever was sent before its acknowledgement has come
  const types = new Set(server.received.map(({ type }) => type));
  assert.deepEqual([...types], ['open', 'ack']);
  assert.ok(await page.locator('#drive').isHidden());
});
