// Claiming the link: what makes a person its viewer, and what a link that works once is spent by.
// The ticket is kept in memory, and where the browser allows in sessionStorage, so that whoever
// reloads the page or loses the network for a moment is known again.

export type ClaimOutcome =
  | { kind: 'granted' }
  | { kind: 'refused'; code: number; message: string }
  | { kind: 'unreachable' };

const answerLimitMs = 10_000;

/** Resolves when somebody sees the page, so that a page that was loaded ahead spends no link. */
export async function documentIsVisible(): Promise<void> {
  while (document.visibilityState !== 'visible') {
    await new Promise((resolve) => {
      document.addEventListener('visibilitychange', resolve, { once: true });
    });
  }
}

export class Link {
  /** "/live/TOKEN": where everything of this link is. */
  readonly path = location.pathname.replace(/\/$/, '');
  #ticket: string | undefined;

  constructor() {
    this.#ticket = stored((storage) => storage.getItem(this.#storageKey)) ?? undefined;
  }

  async claim(): Promise<ClaimOutcome> {
    let answer: Response;
    let body: any;
    try {
      answer = await fetch(`${this.path}/claim`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(this.#ticket === undefined ? {} : { ticket: this.#ticket }),
        signal: AbortSignal.timeout(answerLimitMs),
      });
      body = await answer.json().catch(() => ({}));
    } catch {
      return { kind: 'unreachable' };
    }
    const ticket: unknown = body?.data?.ticket;
    if (answer.ok && typeof ticket === 'string') {
      this.#ticket = ticket;
      stored((storage) => storage.setItem(this.#storageKey, ticket));
      return { kind: 'granted' };
    }
    // Anything else may pass: a proxy's 502 while the server restarts, a limit of requests.
    if (answer.status !== 410 && answer.status !== 404) return { kind: 'unreachable' };
    this.forget();
    return { kind: 'refused', code: answer.status, message: String(body?.error?.message ?? '') };
  }

  /** For a link that is over. */
  forget(): void {
    this.#ticket = undefined;
    stored((storage) => storage.removeItem(this.#storageKey));
  }

  /** "ws://host/live/TOKEN/socket?ticket=..." */
  get socketAddress(): string {
    const address = new URL(this.#withTicket(`${this.path}/socket`, {}), location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    return address.href;
  }

  /** Where a piece of a file for an open file chooser is sent; `id` is that of its first piece. */
  fileAddress(chooser: string, name: string, id: string): string {
    const known: Record<string, string> = id === '' ? {} : { file: id };
    return this.#withTicket(`${this.path}/files`, { chooser, name, ...known });
  }

  get #storageKey(): string {
    return `capstan-live-ticket:${this.path}`;
  }

  #withTicket(path: string, query: Record<string, string>): string {
    const parts = Object.entries({ ticket: this.#ticket ?? '', ...query });
    return `${path}?${parts.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
  }
}

/** Undefined where the browser keeps nothing for this page; merely to ask throws there. */
function stored<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(sessionStorage);
  } catch {
    return undefined;
  }
}
