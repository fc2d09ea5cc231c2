// A dialog that the session's page has opened: alert, confirm, prompt, or the question before a
// page is left. Who drives answers it, the others see it.
import type { Controls } from './controls.ts';
import { button, element } from './elements.ts';
import type { DialogKind, OpenedDialog } from './messages.ts';
import { logLine } from './log.ts';

const words: Record<DialogKind, { heading: string; accept: string; cancel: string }> = {
  alert: { heading: 'The page says', accept: 'OK', cancel: '' },
  confirm: { heading: 'The page asks', accept: 'OK', cancel: 'Cancel' },
  prompt: { heading: 'The page asks', accept: 'OK', cancel: 'Cancel' },
  beforeunload: { heading: 'Leave this page?', accept: 'Leave', cancel: 'Stay' },
};
const leaving = 'What you have entered may not be saved.';

export class PageDialog {
  readonly #dialog = element('page-dialog', HTMLDialogElement);
  readonly #text = element('page-dialog-text', HTMLInputElement);
  readonly #accept = button('page-dialog-accept');
  readonly #cancel = button('page-dialog-cancel');
  readonly #controls: Controls;
  #opened: OpenedDialog | undefined;

  constructor(controls: Controls) {
    this.#controls = controls;
    this.#accept.addEventListener('click', () => this.#answer(true));
    this.#cancel.addEventListener('click', () => this.#answer(false));
    this.#text.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.isComposing) this.#answer(true);
    });
    // The Escape key closes it. Its event comes late, so that the next dialog may be open already.
    this.#dialog.addEventListener('close', () => {
      if (!this.#dialog.open && this.#opened !== undefined) this.#answer(false);
    });
  }

  show(opened: OpenedDialog): void {
    this.close();
    this.#opened = opened;
    const { heading, accept, cancel } = words[opened.kind];
    const message = opened.message || (opened.kind === 'beforeunload' ? leaving : '');
    element('page-dialog-heading', HTMLElement).textContent = heading;
    element('page-dialog-message', HTMLElement).textContent = message;
    this.#text.value = opened.default_text ?? '';
    this.#accept.textContent = accept;
    this.#cancel.textContent = cancel;
    logLine(`${heading}: ${message}`);
    this.#open();
  }

  /** Again, for who may answer it has changed. */
  refresh(): void {
    if (this.#opened === undefined) return;
    this.#dialog.close();
    this.#open();
  }

  close(): void {
    this.#opened = undefined;
    this.#dialog.close();
  }

  #open(): void {
    const { driving } = this.#controls;
    this.#text.hidden = this.#opened?.kind !== 'prompt';
    this.#text.disabled = !driving;
    this.#accept.hidden = !driving;
    this.#cancel.hidden = !driving || this.#opened?.kind === 'alert';
    element('page-dialog-bystander', HTMLElement).hidden = driving;
    if (!driving) {
      this.#dialog.show();
      return;
    }
    this.#dialog.showModal();
    if (this.#text.hidden) this.#accept.focus();
    else this.#text.select();
  }

  #answer(accept: boolean): void {
    if (this.#opened === undefined || !this.#controls.driving) return;
    const text = accept && this.#opened.kind === 'prompt' ? this.#text.value : '';
    this.close();
    this.#controls.send({ type: 'dialog_answer', accept, text });
  }
}
