// Who has the keyboard: the session, while the text area `typing` has the focus, or the viewer.
//
// The text area is no stop of the Tab key, since it would keep it. A button is the stop, which
// shows when it is reached and gives the keyboard to the session; Ctrl+Alt leads back to it.
import type { Controls } from './controls.ts';
import { button, element } from './elements.ts';
import { announce } from './toasts.ts';

export class ScreenFocus {
  readonly typing = element('typing', HTMLTextAreaElement);
  readonly #stage = element('stage', HTMLElement);
  readonly #useKeyboard = button('use-keyboard');
  readonly #showKeyboard = button('show-keyboard');
  readonly #hint = element('hint', HTMLElement);
  #hintIsDismissed = false;

  constructor(controls: Controls) {
    this.typing.addEventListener('focus', () => {
      this.#hint.hidden = this.#hintIsDismissed;
    });
    this.typing.addEventListener('blur', () => {
      this.#hint.hidden = true;
      controls.release();
    });
    this.#useKeyboard.addEventListener('click', () => this.take());
    const dismiss = button('dismiss-hint');
    dismiss.addEventListener('mousedown', (event) => event.preventDefault()); // keeps the focus
    dismiss.addEventListener('click', () => {
      this.#hintIsDismissed = true;
      this.#hint.hidden = true;
    });
    this.#showKeyboard.addEventListener('click', () => {
      this.typing.inputMode = '';
      this.take();
    });
  }

  /** Whether the person may have the session's keyboard at all. */
  set possible(possible: boolean) {
    this.#useKeyboard.hidden = !possible;
    this.#showKeyboard.hidden = !possible || navigator.maxTouchPoints === 0;
    if (!possible && document.activeElement === this.typing) this.typing.blur();
  }

  /** Gives the keyboard to the session, with the input method's window near `at`. */
  take(at?: { clientX: number; clientY: number }): void {
    if (at !== undefined) {
      const { left, top } = this.#stage.getBoundingClientRect();
      this.typing.style.left = `${at.clientX - left}px`;
      this.typing.style.top = `${at.clientY - top}px`;
    }
    this.typing.focus({ preventScroll: true });
  }

  /** The same for a finger, which opens no on-screen keyboard unless that was asked for. */
  takeByTouch(at: { clientX: number; clientY: number }): void {
    if (document.activeElement !== this.typing) this.typing.inputMode = 'none';
    this.take(at);
  }

  leave(): void {
    this.#useKeyboard.focus();
    announce('The keyboard is yours again');
  }
}
