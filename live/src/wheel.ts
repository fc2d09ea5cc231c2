// The wheel, in CSS pixels and at most one message per frame.
import type { Controls } from './controls.ts';
import { OncePerFrame } from './frames.ts';
import { modifiersOf, type WithModifiers } from './modifiers.ts';
import type { Screen } from './screen.ts';

// Firefox counts lines for a mouse's wheel; this is what browsers make of one.
const pixelsPerLine = 16;

export class Wheel {
  readonly #screen: Screen;
  readonly #frame: OncePerFrame;
  #dx = 0;
  #dy = 0;
  #place = { x: 0, y: 0 };
  #modifiers = 0;

  constructor(screen: Screen, controls: Controls) {
    this.#screen = screen;
    this.#frame = new OncePerFrame(() => {
      const [dx, dy] = [this.#dx, this.#dy];
      this.#dx = this.#dy = 0;
      controls.send({ type: 'wheel', ...this.#place, dx, dy, modifiers: this.#modifiers });
    });
    controls.whenReleased(() => {
      this.#frame.cancel();
      this.#dx = this.#dy = 0;
    });
    const onWheel = (event: WheelEvent): void => {
      if (!controls.driving) return;
      event.preventDefault();
      const { height } = screen.canvas.getBoundingClientRect();
      const unit = [1, pixelsPerLine, height][event.deltaMode] ?? 1;
      this.turn(event.deltaX * unit, event.deltaY * unit, event, event);
    };
    screen.canvas.addEventListener('wheel', onWheel, { passive: false });
  }

  turn(
    dx: number,
    dy: number,
    place: { clientX: number; clientY: number },
    event: WithModifiers,
  ): void {
    this.#dx += dx;
    this.#dy += dy;
    this.#place = this.#screen.pixelAt(place.clientX, place.clientY);
    this.#modifiers = modifiersOf(event);
    this.#frame.request();
  }
}
