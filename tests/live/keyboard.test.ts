// Keys and text, as the session is told of them, and how the viewer gets the keyboard back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limit, shows, showScreen, strokes, view, viewAndFocus, windowPoint } from './viewer.ts';

test('keys are told as they go down and up', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.keyboard.press('a');
  await page.keyboard.press('Shift+B');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Escape');
  await server.receives('Escape is let go', ({ key, event }) => key === 'Escape' && event === 'up');
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
  // Some systems name the key and some say Process; this number they all give.
  const stroke = { key: 'n', code: 'KeyN', windowsVirtualKeyCode: 229 };
  const key = { type: 'rawKeyDown', ...stroke } as const;
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

test('a browser that tells twice of the end of a composition commits once', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.evaluate(`(() => {
    const typing = document.querySelector('#typing');
    const tell = (value) => {
      typing.value = value;
      typing.dispatchEvent(new InputEvent('input', { inputType: 'insertCompositionText' }));
    };
    typing.dispatchEvent(new CompositionEvent('compositionstart'));
    tell('に');
    typing.dispatchEvent(new CompositionEvent('compositionend', { data: '日' }));
    tell('日');
  })()`);
  await page.keyboard.press('b');
  await server.receives('the key after it', ({ event }) => event === 'up');
  assert.deepEqual(server.input.slice(0, -2), [
    { type: 'compose', text: 'に', start: 1, end: 1 },
    { type: 'commit', text: '日' },
  ]);
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
  const isLast = ({ code, event }: any): boolean => code === 'ControlLeft' && event === 'up';
  await server.receives('all is let go', isLast);
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

/** Keys as another system's browser tells of them. */
const press = (type: 'keydown' | 'keyup', key: object) =>
  `document.querySelector('#typing').dispatchEvent(
    new KeyboardEvent('${type}', { cancelable: true, ...${JSON.stringify(key)} }))`;

test('AltGr makes a character and no shortcut, also as Windows tells of it', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  const both = { ctrlKey: true, altKey: true, modifierAltGraph: true };
  const at = { code: 'KeyQ', key: '@', ...both };
  await page.evaluate(press('keydown', { code: 'ControlLeft', key: 'Control', ctrlKey: true }));
  await page.evaluate(press('keydown', { code: 'AltRight', key: 'AltGraph', ...both }));
  await page.evaluate(press('keydown', at));
  await page.evaluate(press('keyup', at));
  await page.evaluate(press('keyup', { code: 'ControlLeft', key: 'Control' }));
  await page.evaluate(press('keyup', { code: 'AltRight', key: 'AltGraph' }));
  const isLast = ({ code, event }: any): boolean => code === 'AltRight' && event === 'up';
  await server.receives('AltGr is let go', isLast);
  assert.deepEqual(strokes(server.input), [
    'down ControlLeft Control 2', 'up ControlLeft Control 0',
    'down AltRight AltGraph 0',
    'down KeyQ @ 0', 'up KeyQ @ 0',
    'up AltRight AltGraph 0',
  ]);
  assert.equal(await page.evaluate('document.activeElement.id'), 'typing');
});

test('a key that macOS does not let go while Cmd is held is let go with it', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.evaluate(press('keydown', { code: 'MetaLeft', key: 'Meta', metaKey: true }));
  await page.evaluate(press('keydown', { code: 'KeyA', key: 'a', metaKey: true }));
  await page.evaluate(press('keyup', { code: 'MetaLeft', key: 'Meta' }));
  const isLast = ({ code, event }: any): boolean => code === 'KeyA' && event === 'up';
  await server.receives('the key is let go', isLast);
  assert.deepEqual(strokes(server.input), [
    'down MetaLeft Meta 4', 'down KeyA a 4', 'up MetaLeft Meta 0', 'up KeyA a 0',
  ]);
});

test('a dead key is not told, only what it makes of the next one', limit, async (t) => {
  const { server, page } = await viewAndFocus(t);
  await page.evaluate(press('keydown', { code: 'Equal', key: 'Dead' }));
  await page.evaluate(press('keyup', { code: 'Equal', key: 'Dead' }));
  await page.evaluate(press('keydown', { code: 'KeyE', key: 'é' }));
  await page.evaluate(press('keyup', { code: 'KeyE', key: 'é' }));
  await server.receives('the key is let go', ({ event }) => event === 'up');
  assert.deepEqual(strokes(server.input), ['down KeyE é 0', 'up KeyE é 0']);
});
