// The keyboard, while the screen has it: every key goes to the session, but for what makes text by
// way of an input method (see typing.ts), what pastes, and the way out.
//
// The way out is Ctrl+Alt, pressed and let go without another key: the keyboard is the viewer's own
// again, so that nobody who has no mouse is caught in the screen.
import type { Controls } from './controls.ts';
import type { KeyMessage } from './messages.ts';
import { modifiersOf } from './modifiers.ts';

type Pressed = Pick<KeyMessage, 'code' | 'key' | 'location'>;

const modifierKeys = ['Control', 'Alt', 'AltGraph', 'Meta', 'Shift'];

export class Keyboard {
  readonly #controls: Controls;
  readonly #letGo: () => void;
  /** The keys that the session thinks are pressed, by code. */
  readonly #pressed = new Map<string, Pressed>();
  /** Whether Ctrl and Alt are held and nothing else was pressed meanwhile. */
  #leaving = false;

  /** `letGo` takes the keyboard from the screen. */
  constructor(typing: HTMLTextAreaElement, controls: Controls, letGo: () => void) {
    this.#controls = controls;
    this.#letGo = letGo;
    typing.addEventListener('keydown', (event) => this.#onDown(event));
    typing.addEventListener('keyup', (event) => this.#onUp(event));
    controls.whenReleased(() => {
      this.#pressed.clear();
      this.#leaving = false;
    });
  }

  #onDown(event: KeyboardEvent): void {
    this.#leaving = isWayOut(event);
    if (!this.#controls.driving || isForInputMethod(event)) return;
    if (isPaste(event)) return; // the browser's own paste event brings the text
    event.preventDefault();
    const code = event.code || event.key; // on-screen keyboards give no code
    // Windows presses Ctrl of itself just before AltGr.
    if (event.key === 'AltGraph') this.#lift('ControlLeft', 0);
    const { key, location, repeat } = event;
    this.#pressed.set(code, { code, key, location });
    const modifiers = modifiersOf(event);
    this.#controls.send({ type: 'key', event: 'down', code, key, location, repeat, modifiers });
    if (isCopy(event) && !repeat) this.#controls.send({ type: 'copy' });
  }

  #onUp(event: KeyboardEvent): void {
    const code = event.code || event.key;
    if (this.#pressed.has(code)) event.preventDefault();
    this.#lift(code, modifiersOf(event), event.key);
    if (event.key === 'Meta') this.#liftHidden();
    if (this.#leaving && (event.key === 'Control' || event.key === 'Alt')) this.#letGo();
  }

  /** macOS tells of no key that is let go while Cmd is held. */
  #liftHidden(): void {
    for (const { code, key } of [...this.#pressed.values()]) {
      if (!modifierKeys.includes(key)) this.#lift(code, 0);
    }
  }

  #lift(code: string, modifiers: number, key = this.#pressed.get(code)?.key ?? ''): void {
    const pressed = this.#pressed.get(code);
    if (pressed === undefined) return;
    this.#pressed.delete(code);
    const { location } = pressed;
    const stroke = { code, key, location, repeat: false, modifiers };
    this.#controls.send({ type: 'key', event: 'up', ...stroke });
  }
}

/** AltGr is no Alt, though Windows says Ctrl and Alt for it. */
function isWayOut({ key, ctrlKey, altKey, metaKey, shiftKey }: KeyboardEvent): boolean {
  return (key === 'Control' || key === 'Alt') && ctrlKey && altKey && !metaKey && !shiftKey;
}

function isForInputMethod({ isComposing, keyCode, key, code }: KeyboardEvent): boolean {
  if (isComposing || keyCode === 229) return true;
  // A dead key begins a composition on some systems, and changes the next key on the others.
  if (['Dead', 'Process', 'Unidentified'].includes(key)) return true;
  return code === '' && key.length === 1;
}

const hasShortcutModifier = (event: KeyboardEvent): boolean =>
  (event.ctrlKey || event.metaKey) && !event.altKey;

/** A shortcut's letter, which on a keyboard without Latin letters is that of the key's place. */
function letterOf({ key, code }: KeyboardEvent): string {
  if (/^[ -~]$/.test(key)) return key.toLowerCase();
  return /^Key([A-Z])$/.exec(code)?.[1]?.toLowerCase() ?? key;
}

const isPaste = (event: KeyboardEvent): boolean =>
  (hasShortcutModifier(event) && letterOf(event) === 'v') ||
  (event.shiftKey && event.key === 'Insert');

const isCopy = (event: KeyboardEvent): boolean =>
  hasShortcutModifier(event) && !event.shiftKey && ['c', 'x'].includes(letterOf(event));
