// Mouse and wheel over the screen, as the session is told of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canvasSize, limit, view, viewAndFocus, windowPoint } from './viewer.ts';

for (const pixelRatio of [1, 2]) {
  const title = `clicks come as pixels of the session's screen, on a display of ${pixelRatio}x`;
  test(title, limit, async (t) => {
    const { server, page } = await view(t, { pixelRatio });
    assert.deepEqual(await page.evaluate(canvasSize), [1600, 1000]);
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
  const isLast = ({ button, event }: any): boolean => button === 1 && event === 'up';
  await server.receives('the middle button goes up', isLast);
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
