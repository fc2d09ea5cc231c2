// A file chooser that the session's page has opened: the viewer's own files are sent to the
// session, since those of the server are none of the viewer's business.
import type { Link } from './claim.ts';
import type { Controls } from './controls.ts';
import { button, element } from './elements.ts';
import type { FileChooser } from './messages.ts';

const pieceBytes = 1024 * 1024;

export class Files {
  readonly #panel = element('files', HTMLDialogElement);
  readonly #input = element('file-input', HTMLInputElement);
  readonly #zone = element('drop-zone', HTMLElement);
  readonly #progress = element('files-progress', HTMLElement);
  readonly #error = element('files-error', HTMLElement);
  readonly #link: Link;
  readonly #controls: Controls;
  #chooser: FileChooser | undefined;
  #sending = new AbortController();

  constructor(link: Link, controls: Controls) {
    this.#link = link;
    this.#controls = controls;
    this.#input.addEventListener('change', () => this.#onFiles([...(this.#input.files ?? [])]));
    button('files-cancel').addEventListener('click', () => this.#answer([]));
    // Escape closes it. The event comes late, so that the next panel may be open already.
    this.#panel.addEventListener('close', () => {
      if (!this.#panel.open && this.#chooser !== undefined) this.#answer([]);
    });
    // The browser would open a file that is dropped elsewhere, instead of this page.
    for (const type of ['dragover', 'drop'] as const) {
      document.addEventListener(type, (event) => event.preventDefault());
    }
    this.#panel.addEventListener('dragover', () => this.#zone.classList.add('over'));
    this.#panel.addEventListener('dragleave', () => this.#zone.classList.remove('over'));
    this.#panel.addEventListener('drop', (event) => {
      this.#zone.classList.remove('over');
      this.#onFiles([...(event.dataTransfer?.files ?? [])]);
    });
  }

  show(chooser: FileChooser): void {
    this.close();
    if (!this.#controls.driving) return;
    this.#chooser = chooser;
    const heading = chooser.multiple ? 'The page asks for files' : 'The page asks for a file';
    element('files-heading', HTMLElement).textContent = heading;
    this.#input.multiple = chooser.multiple;
    this.#reset();
    this.#panel.showModal();
    this.#input.focus();
  }

  /** Closes that one, or any, without an answer. */
  close(id = this.#chooser?.id): void {
    if (this.#chooser === undefined || this.#chooser.id !== id) return;
    this.#chooser = undefined;
    this.#sending.abort();
    this.#panel.close();
  }

  #answer(ids: string[]): void {
    const chooser = this.#chooser;
    if (chooser === undefined) return;
    this.close();
    this.#controls.send({ type: 'files', chooser: chooser.id, ids });
  }

  async #onFiles(files: File[]): Promise<void> {
    const chooser = this.#chooser;
    if (chooser === undefined || files.length === 0) return;
    this.#error.textContent = '';
    if (files.length > 1 && !chooser.multiple) {
      this.#error.textContent = 'The page takes one file only.';
      return;
    }
    this.#sending.abort(); // whoever chooses again means the new ones
    const { signal } = (this.#sending = new AbortController());
    this.#input.disabled = true;
    try {
      const ids: string[] = [];
      for (const [index, file] of files.entries()) {
        const count = files.length > 1 ? ` (${index + 1} of ${files.length})` : '';
        this.#progress.textContent = `Sending ${file.name}${count}…`;
        ids.push(await this.#send(file, index === 0, chooser.id, signal));
      }
      this.#answer(ids);
    } catch (error) {
      if (signal.aborted) return;
      this.#reset();
      this.#error.textContent = error instanceof Refusal ? error.message : 'It could not be sent.';
    }
  }

  /** In pieces, since the server takes no request of any size. Returns the id that it gave it. */
  async #send(
    file: File,
    isFirst: boolean,
    chooser: string,
    signal: AbortSignal,
  ): Promise<string> {
    let id = '';
    for (let sent = 0; id === '' || sent < file.size; sent += pieceBytes) {
      const query: Record<string, string> = { chooser, name: file.name };
      if (id !== '') query['file'] = id;
      else if (isFirst) query['first'] = 'true'; // what was sent for another choice is forgotten
      const answer = await fetch(this.#link.fileAddress(query), {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: file.slice(sent, sent + pieceBytes),
        signal,
      });
      const body: any = await answer.json();
      if (!answer.ok) throw new Refusal(body.error.message);
      id = body.data.id;
    }
    return id;
  }

  #reset(): void {
    this.#input.value = '';
    this.#input.disabled = false;
    this.#progress.textContent = '';
    this.#error.textContent = '';
  }
}

/** The server's own words for why it took no file. */
class Refusal extends Error {}
