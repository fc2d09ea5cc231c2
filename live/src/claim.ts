// Claiming the link: what makes a person its viewer, and what a link that works once is spent by.
// The ticket is kept in memory, and where the browser allows in sessionStorage, so that whoever
// reloads the page or loses the network for a moment is known again.

export type ClaimOutcome =
  | { kind: 'granted' }
  | { kind: 'ended'; reason: string; recording: string | null }
  | { kind: 'refused'; code: number; message: string }
  | { kind: 'unreachable'; why: string };

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
      return { kind: 'unreachable', why: '' };
    }
    if (answer.ok && body?.data?.ended === true) {
      const { reason, recording_url: recording } = body.data;
      return { kind: 'ended', reason, recording };
    }
    const ticket: unknown = body?.data?.ticket;
    if (answer.ok && typeof ticket === 'string') {
      this.#ticket = ticket;
      stored((storage) => storage.setItem(this.#storageKey, ticket));
      return { kind: 'granted' };
    }
    const message = String(body?.error?.message ?? '');
    // Anything else may pass: a proxy's 502 while the server restarts, a limit of requests.
    if (answer.status !== 410 && answer.status !== 404) {
      return { kind: 'unreachable', why: message };
    }
    return { kind: 'refused', code: answer.status, message };
  }

  /** "ws://host/live/TOKEN/socket?ticket=..." */
  get socketAddress(): string {
    const address = new URL(this.#withTicket(`${this.path}/socket`, {}), location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    return address.href;
  }

  /** Where a piece of a file for an open file chooser is sent. */
  fileAddress(query: Record<string, string>): string {
    return this.#withTicket(`${this.path}/files`, query);
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
