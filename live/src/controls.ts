// The one gate that all input passes: only the viewer who drives sends any. The server holds to
// that by itself; here it keeps the page honest towards its user.
import type { Connection } from './connection.ts';
import type { ControlMessage } from './messages.ts';

export class Controls {
  readonly #connection: Connection;
  readonly #forgetters: (() => void)[] = [];
  #driving = false;
  /** Whether anything was sent that could have left a key or a button pressed. */
  #touched = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    addEventListener('blur', () => this.release());
    addEventListener('pagehide', () => this.release());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.release();
    });
  }

  get driving(): boolean {
    return this.#driving;
  }

  set driving(driving: boolean) {
    this.#driving = driving;
    if (!driving) this.forget();
  }

  send(message: ControlMessage): void {
    if (!this.#driving) return;
    this.#touched = true;
    this.#connection.send(message);
  }

  /** `forget` is called when the server lets go of all keys and buttons. */
  whenReleased(forget: () => void): void {
    this.#forgetters.push(forget);
  }

  /** Lets go of all keys and buttons; the person has gone to something else. */
  release(): void {
    if (this.#touched) this.send({ type: 'release' });
    this.forget();
  }

  /** For when the server has let go of them by itself. */
  forget(): void {
    for (const forget of this.#forgetters) forget();
    this.#touched = false;
  }
}
