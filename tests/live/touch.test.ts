// Fingers on the screen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limit, strokes, view, type Viewer, windowPoint } from './viewer.ts';

type Finger = [number, number];
type Touches = { type: 'touchStart' | 'touchMove' | 'touchEnd'; fingers: Finger[] };

/** Plays these states of the fingers, in the window's pixels. */
async function touch({ page }: Viewer, states: Touches[]): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  for (const { type, fingers } of states) {
    const touchPoints = fingers.map(([x, y], id) => ({ x, y, id }));
    await devtools.send('Input.dispatchTouchEvent', { type, touchPoints });
  }
}

test('a tap clicks, and opens no on-screen keyboard', limit, async (t) => {
  const viewer = await view(t, { touch: true });
  const { server, page } = viewer;
  await touch(viewer, [
    { type: 'touchStart', fingers: [await windowPoint(page, 800, 500)] },
    { type: 'touchEnd', fingers: [] },
  ]);
  await server.receives('the click ends', ({ event }) => event === 'up');
  const [down] = server.input;
  assert.ok(Math.abs(down!['x'] - 800) <= 1 && Math.abs(down!['y'] - 500) <= 1);
  assert.deepEqual([down!['button'], down!['clicks']], [0, 1]);
  assert.equal(server.input.length, 2);
  assert.equal(await page.evaluate('document.activeElement.inputMode'), 'none');
});

test('a finger that moves drags', limit, async (t) => {
  const viewer = await view(t, { touch: true });
  const { server, page } = viewer;
  await touch(viewer, [
    { type: 'touchStart', fingers: [await windowPoint(page, 400, 400)] },
    { type: 'touchMove', fingers: [await windowPoint(page, 600, 400)] },
    { type: 'touchEnd', fingers: [] },
  ]);
  const up = await server.receives('the button goes up', ({ event }) => event === 'up');
  const [down] = server.input;
  assert.ok(Math.abs(down!['x'] - 400) <= 1, 'it begins where the finger came down');
  assert.ok(Math.abs(up['x'] - 600) <= 1);
});

test('two fingers turn the wheel, and press nothing', limit, async (t) => {
  const viewer = await view(t, { touch: true });
  const { server } = viewer;
  await touch(viewer, [
    { type: 'touchStart', fingers: [[300, 400]] },
    { type: 'touchStart', fingers: [[300, 400], [400, 400]] },
    { type: 'touchMove', fingers: [[300, 340], [400, 340]] },
    { type: 'touchMove', fingers: [[300, 300], [400, 300]] },
    { type: 'touchEnd', fingers: [] },
  ]);
  const wheel = await server.receivesType('wheel');
  assert.ok(wheel['dy'] > 0, 'fingers that go up scroll down');
  assert.ok(!server.received.some(({ type }) => type === 'pointer'));
});

test('two fingers that part magnify the picture, and clicks still hit', limit, async (t) => {
  const viewer = await view(t, { touch: true });
  const { server, page } = viewer;
  const before = await page.locator('#screen').boundingBox();
  await touch(viewer, [
    { type: 'touchStart', fingers: [[350, 300]] },
    { type: 'touchStart', fingers: [[350, 300], [450, 300]] },
    { type: 'touchMove', fingers: [[300, 300], [500, 300]] },
    { type: 'touchEnd', fingers: [] },
  ]);
  const after = await page.locator('#screen').boundingBox();
  assert.ok(after!.width > 1.9 * before!.width);
  assert.deepEqual(server.input, []);
  await page.mouse.click(...(await windowPoint(page, 800, 500)));
  const down = await server.receives('the click', ({ event }) => event === 'down');
  assert.ok(Math.abs(down['x'] - 800) <= 1 && Math.abs(down['y'] - 500) <= 1);
});

test('a button brings the on-screen keyboard, whose text and keys are told', limit, async (t) => {
  const viewer = await view(t, { touch: true });
  const { server, page } = viewer;
  await page.getByRole('button', { name: 'Keyboard', exact: true }).tap();
  assert.equal(await page.evaluate('document.activeElement.id'), 'typing');
  assert.notEqual(await page.evaluate('document.activeElement.inputMode'), 'none');
  await page.keyboard.insertText('hello ');
  await page.evaluate(`document.activeElement.dispatchEvent(
    new InputEvent('beforeinput', { inputType: 'deleteContentBackward', cancelable: true }))`);
  await server.receives('Backspace goes up', ({ event }) => event === 'up');
  assert.deepEqual(server.input[0], { type: 'commit', text: 'hello ' });
  const keys = strokes(server.input.slice(1));
  assert.deepEqual(keys, ['down Backspace Backspace 0', 'up Backspace Backspace 0']);
});
