// Text that comes by other ways than keys: input methods, dead keys, on-screen keyboards, emoji
// pickers. It arrives in a text area that nobody sees, lies where the person last clicked, and is
// empty but during a composition.
import type { Controls } from './controls.ts';

/** What on-screen keyboards ask for instead of pressing a key. */
const keysOfInput = new Map([
  ['deleteContentBackward', 'Backspace'],
  ['deleteContentForward', 'Delete'],
  ['insertLineBreak', 'Enter'],
  ['insertParagraph', 'Enter'],
]);

export function listenToTyping(typing: HTMLTextAreaElement, controls: Controls): void {
  let composing = false;

  const press = (key: string): void => {
    const plain = { location: 0, repeat: false, modifiers: 0 };
    const stroke = { type: 'key', code: key, key, ...plain } as const;
    controls.send({ ...stroke, event: 'down' });
    controls.send({ ...stroke, event: 'up' });
  };

  typing.addEventListener('compositionstart', () => {
    composing = true;
  });
  typing.addEventListener('compositionend', ({ data }) => {
    composing = false;
    controls.send({ type: 'commit', text: data });
    typing.value = '';
  });
  typing.addEventListener('beforeinput', (event) => {
    const key = keysOfInput.get(event.inputType);
    if (composing || event.isComposing || key === undefined) return;
    event.preventDefault();
    press(key);
  });
  typing.addEventListener('input', (event) => {
    const { value, selectionStart, selectionEnd } = typing;
    if (composing) {
      controls.send({ type: 'compose', text: value, start: selectionStart, end: selectionEnd });
      return;
    }
    // Firefox and Safari tell of the end of a composition once more, after its own event.
    const isKnown = /composition/i.test(event instanceof InputEvent ? event.inputType : '');
    if (!isKnown && value !== '') controls.send({ type: 'commit', text: value });
    typing.value = '';
  });
}
