// Mouse and pen over the screen. Fingers are another thing, see touch.ts.
import type { Controls } from './controls.ts';
import { buttonBits, type Mouse } from './mouse.ts';
import type { Screen } from './screen.ts';

/** `focus` makes the keyboard the screen's, as a click into a window does. */
export function listenToPointer(
  screen: Screen,
  mouse: Mouse,
  controls: Controls,
  focus: (at: MouseEvent) => void,
): void {
  const { canvas } = screen;

  // One event may press a second button while the first is held, so buttons are compared.
  const onPointer = (event: PointerEvent): void => {
    if (event.pointerType === 'touch' || !controls.driving) return;
    for (const [button, bit] of buttonBits.entries()) {
      const was = (mouse.buttons & bit) !== 0;
      const is = (event.buttons & bit) !== 0;
      if (is && !was && event.type === 'pointerdown') canvas.setPointerCapture(event.pointerId);
      // A button that was pressed elsewhere and dragged in is not ours.
      if (is && !was && event.button === button) mouse.press(button, event);
      if (was && !is) mouse.lift(button, event);
    }
    if (event.type === 'pointermove' && event.button === -1) mouse.move(event);
  };
  for (const type of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel'] as const) {
    canvas.addEventListener(type, onPointer);
  }

  canvas.addEventListener('mousedown', (event) => {
    event.preventDefault(); // the focus would go to the document, and the keyboard with it
    if (controls.driving) focus(event);
  });
  for (const type of ['contextmenu', 'mouseup', 'auxclick'] as const) {
    // The session has a menu of its own, and a mouse's "back" is meant for the session.
    canvas.addEventListener(type, (event) => {
      if (controls.driving) event.preventDefault();
    });
  }
}
