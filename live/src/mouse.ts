// The session's mouse, as this viewer moves it, whether by a mouse, a pen or a finger.
import type { Controls } from './controls.ts';
import { OncePerFrame } from './frames.ts';
import type { PointerMessage } from './messages.ts';
import { modifiersOf, type WithModifiers } from './modifiers.ts';
import type { Screen } from './screen.ts';

/** Where it is, in the window, and with which modifier keys. */
export type Place = { clientX: number; clientY: number } & WithModifiers;

/** Left, middle, right, as in MouseEvent.button; MouseEvent.buttons counts them otherwise. */
export const buttonBits = [1, 4, 2];

// What desktops take for a double click, where they don't say.
const doubleClickMs = 500;
const doubleClickPixels = 4;

export class Mouse {
  readonly #controls: Controls;
  readonly #screen: Screen;
  readonly #moves: OncePerFrame;
  #nextMove: PointerMessage | undefined;
  #buttons = 0;
  #clicks = 0;
  #lastPress = { button: -1, at: 0, clientX: 0, clientY: 0 };

  constructor(controls: Controls, screen: Screen) {
    this.#controls = controls;
    this.#screen = screen;
    this.#moves = new OncePerFrame(() => {
      if (this.#nextMove !== undefined) this.#controls.send(this.#nextMove);
    });
    controls.whenReleased(() => {
      this.#buttons = 0;
      this.#moves.cancel();
    });
  }

  /** The pressed buttons, in the bits of MouseEvent.buttons. */
  get buttons(): number {
    return this.#buttons;
  }

  move(to: Place): void {
    this.#nextMove = this.#message('move', to, 0, 0);
    this.#moves.request();
  }

  press(button: number, at: Place): void {
    const last = this.#lastPress;
    const again =
      last.button === button &&
      performance.now() - last.at < doubleClickMs &&
      Math.hypot(at.clientX - last.clientX, at.clientY - last.clientY) < doubleClickPixels;
    this.#clicks = again ? this.#clicks + 1 : 1;
    const { clientX, clientY } = at;
    this.#lastPress = { button, at: performance.now(), clientX, clientY };
    this.#moves.now();
    this.#buttons |= buttonBits[button]!;
    this.#controls.send(this.#message('down', at, button, this.#clicks));
  }

  lift(button: number, at: Place): void {
    this.#moves.now();
    this.#buttons &= ~buttonBits[button]!;
    this.#controls.send(this.#message('up', at, button, this.#clicks));
  }

  #message(
    event: PointerMessage['event'],
    at: Place,
    button: number,
    clicks: number,
  ): PointerMessage {
    const { x, y } = this.#screen.pixelAt(at.clientX, at.clientY);
    const buttons = this.#buttons;
    return { type: 'pointer', event, x, y, button, buttons, clicks, modifiers: modifiersOf(at) };
  }
}
