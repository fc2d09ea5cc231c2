// Fingers on the screen. One is the mouse: a tap clicks, a long one clicks with the right button, a
// drag drags. Two turn the wheel, or magnify the picture for this viewer when they move apart.
import type { Controls } from './controls.ts';
import { OncePerFrame } from './frames.ts';
import type { Mouse } from './mouse.ts';
import type { Point, Screen } from './screen.ts';
import type { Wheel } from './wheel.ts';

const slopPixels = 8;
const longPressMs = 500;
const pinchRatio = 0.12;

type Focus = (at: PointerEvent) => void;
type Pair = { middle: Point; distance: number };

export class Touch {
  readonly #screen: Screen;
  readonly #mouse: Mouse;
  readonly #wheel: Wheel;
  readonly #fingers = new Map<number, PointerEvent>();
  /** The finger that may yet become a tap, a long press or a drag. */
  #undecided: PointerEvent | undefined;
  #longPress: ReturnType<typeof setTimeout> | undefined;
  #pair: (Pair & { zoom: number; doing: 'nothing' | 'wheel' | 'zoom' }) | undefined;
  /** Each finger's move comes by itself, so that it looks like parting until the other's comes. */
  readonly #pairMoves = new OncePerFrame(() => this.#onPair());

  /** `focus` makes the keyboard the screen's. */
  constructor(screen: Screen, mouse: Mouse, wheel: Wheel, controls: Controls, focus: Focus) {
    this.#screen = screen;
    this.#mouse = mouse;
    this.#wheel = wheel;
    const listen = (type: 'pointerdown' | 'pointermove', on: (event: PointerEvent) => void): void =>
      screen.canvas.addEventListener(type, (event) => {
        if (event.pointerType === 'touch' && controls.driving) on(event);
      });
    listen('pointerdown', (event) => {
      focus(event);
      this.#onDown(event);
    });
    listen('pointermove', (event) => this.#onMove(event));
    for (const type of ['pointerup', 'pointercancel'] as const) {
      screen.canvas.addEventListener(type, (event) => this.#onUp(event));
    }
    controls.whenReleased(() => this.#decide());
  }

  #onDown(event: PointerEvent): void {
    this.#fingers.set(event.pointerId, event);
    if (this.#fingers.size === 1) {
      this.#undecided = event;
      this.#longPress = setTimeout(() => {
        this.#decide();
        this.#mouse.press(2, event);
        this.#mouse.lift(2, event);
      }, longPressMs);
      return;
    }
    this.#decide();
    if (this.#mouse.buttons !== 0) this.#mouse.lift(0, event);
    const pair = this.#pairNow();
    if (pair) this.#pair = { ...pair, zoom: this.#screen.zoom, doing: 'nothing' };
  }

  #onMove(event: PointerEvent): void {
    const before = this.#fingers.get(event.pointerId);
    if (before === undefined) return;
    if (this.#pair !== undefined) {
      this.#fingers.set(event.pointerId, event);
      this.#pairMoves.request();
      return;
    }
    const start = this.#undecided;
    if (start !== undefined) {
      const way = Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY);
      if (way < slopPixels) return;
      this.#decide();
      this.#mouse.press(0, start);
    }
    if (this.#mouse.buttons !== 0) this.#mouse.move(event);
  }

  #onUp(event: PointerEvent): void {
    if (!this.#fingers.delete(event.pointerId)) return;
    if (this.#undecided !== undefined && event.type === 'pointerup') {
      this.#decide();
      this.#mouse.press(0, event);
    }
    if (this.#mouse.buttons !== 0) this.#mouse.lift(0, event);
    this.#decide();
    // What is left of two fingers does nothing until it is lifted as well.
    if (this.#fingers.size === 0) this.#pair = undefined;
  }

  #onPair(): void {
    const now = this.#pairNow();
    const pair = this.#pair;
    const [finger] = this.#fingers.values();
    if (now === undefined || pair === undefined || finger === undefined) return;
    const [dx, dy] = [now.middle.x - pair.middle.x, now.middle.y - pair.middle.y];
    if (pair.doing === 'nothing') {
      if (Math.abs(now.distance / pair.distance - 1) > pinchRatio) pair.doing = 'zoom';
      else if (Math.hypot(dx, dy) > slopPixels) pair.doing = 'wheel';
      else return;
    }
    if (pair.doing === 'zoom') {
      this.#screen.magnify((pair.zoom * now.distance) / pair.distance, pair.middle, now.middle);
    } else {
      // The picture follows the fingers, so the wheel goes the other way.
      const place = { clientX: now.middle.x, clientY: now.middle.y };
      this.#wheel.turn(-dx, -dy, place, finger);
    }
    pair.middle = now.middle;
  }

  #pairNow(): Pair | undefined {
    const [one, two] = [...this.#fingers.values()];
    if (one === undefined || two === undefined) return undefined;
    return {
      middle: { x: (one.clientX + two.clientX) / 2, y: (one.clientY + two.clientY) / 2 },
      distance: Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY) || 1,
    };
  }

  #decide(): void {
    this.#undecided = undefined;
    clearTimeout(this.#longPress);
  }
}
