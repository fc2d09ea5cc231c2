// Text between the viewer's clipboard and the session: pasting into it, and what was copied in it.
import type { Controls } from './controls.ts';
import { button, element } from './elements.ts';
import { toast } from './toasts.ts';

/** What the server takes at once. */
const pasteBytesMax = 1024 * 1024;

export function listenToPaste(typing: HTMLTextAreaElement, controls: Controls): void {
  typing.addEventListener('paste', (event) => {
    event.preventDefault();
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (text === '' || !controls.driving) return;
    // No character takes less than a byte, so that most of what is too long is not even encoded.
    const isTooLong =
      text.length > pasteBytesMax || new TextEncoder().encode(text).length > pasteBytesMax;
    if (isTooLong) toast('This text is too long to paste; 1 MiB is the most.', 'error');
    else controls.send({ type: 'paste', text });
  });
}

export class CopiedText {
  readonly #panel = element('copied', HTMLDialogElement);
  readonly #text = element('copied-text', HTMLTextAreaElement);

  constructor() {
    button('copied-close').addEventListener('click', () => this.close());
    button('copied-copy').addEventListener('click', () => {
      this.#text.select();
      // Old, but it works where there is no navigator.clipboard: without TLS, in most frames.
      if (!document.execCommand('copy')) return;
      this.close();
      toast('Copied');
    });
  }

  /** Puts it on the viewer's clipboard, or shows it where the browser allows no page to do that. */
  async offer(text: string): Promise<void> {
    if (text === '') {
      toast('Nothing was copied from the page');
      return;
    }
    try {
      await navigator.clipboard.writeText(text);
      toast('Copied');
    } catch {
      this.#text.value = text;
      if (!this.#panel.open) this.#panel.showModal();
      this.#text.select();
    }
  }

  close(): void {
    this.#text.value = '';
    this.#panel.close();
  }
}
