// The way to the server: claims the link, opens the socket, and does both again when it is lost.
import { documentIsVisible, type Link } from './claim.ts';
import type { ClientMessage, ServerMessage } from './messages.ts';

/** Why there is no connection any more, and will be none unless somebody asks for it. */
export type End =
  | { kind: 'ended' }
  | { kind: 'ended_before'; reason: string; recording: string | null }
  | { kind: 'replaced' }
  | { kind: 'dead'; message: string }
  | { kind: 'unknown' }
  | { kind: 'full' }
  | { kind: 'locked_in' };

export type Listener = {
  onMessage(message: ServerMessage): void;
  /** `acknowledge` is for the socket that it came by, which may have gone when it is drawn. */
  onPicture(message: ArrayBuffer, acknowledge: (seq: number) => void): void;
  /** It is tried again until it works. */
  onLost(why: string): void;
};

const backoffMs = [500, 1000, 2000, 4000, 8000];
const helloLimitMs = 10_000;
const codes = { tryAgainLater: 1013, replaced: 4409, linkIsDead: 4410 };

export class Connection {
  readonly #link: Link;
  readonly #listener: Listener;
  #socket: WebSocket | undefined;
  #failures = 0;
  #sessionHasEnded = false;
  #whyNot = '';

  constructor(link: Link, listener: Listener) {
    this.#link = link;
    this.#listener = listener;
  }

  /** Stays connected until there is no use in it, and tells why. */
  async run(): Promise<End> {
    await documentIsVisible();
    this.#failures = 0;
    for (;;) {
      const end = await this.#attempt();
      if (end !== undefined) return end;
      this.#listener.onLost(this.#whyNot);
      await pause(backoffMs[Math.min(this.#failures, backoffMs.length - 1)]!);
      this.#failures += 1;
    }
  }

  /** What is sent while there is no connection is lost: it is input, and stale by then. */
  send(message: ClientMessage): void {
    if (this.#socket !== undefined) sendBy(this.#socket, message);
  }

  /** Undefined when it may go better the next time. */
  async #attempt(): Promise<End | undefined> {
    const claimed = await this.#link.claim();
    this.#whyNot = claimed.kind === 'unreachable' ? claimed.why : '';
    if (claimed.kind === 'ended') return { ...claimed, kind: 'ended_before' };
    if (claimed.kind === 'unreachable') {
      // In a frame without allow-same-origin every request is foreign, so it never will go better.
      return origin === 'null' ? { kind: 'locked_in' } : undefined;
    }
    if (claimed.kind === 'refused') {
      const { code, message } = claimed;
      return code === 404 ? { kind: 'unknown' } : { kind: 'dead', message };
    }
    const { code, reason } = await this.#talk();
    if (this.#sessionHasEnded) return { kind: 'ended' };
    if (code === codes.tryAgainLater) return { kind: 'full' };
    if (code === codes.replaced) return { kind: 'replaced' };
    return code === codes.linkIsDead ? { kind: 'dead', message: reason } : undefined;
  }

  /** Resolves when the socket has closed, whoever closed it and whether or not it ever opened. */
  #talk(): Promise<CloseEvent> {
    const socket = new WebSocket(this.#link.socketAddress);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    const late = setTimeout(() => socket.close(), helloLimitMs);
    socket.addEventListener('message', ({ data }) => {
      if (data instanceof ArrayBuffer) {
        this.#listener.onPicture(data, (seq) => sendBy(socket, { type: 'ack', seq }));
        return;
      }
      const message: ServerMessage = JSON.parse(data);
      if (message.type === 'hello') {
        clearTimeout(late);
        this.#failures = 0;
      }
      if (message.type === 'ended') this.#sessionHasEnded = true;
      this.#listener.onMessage(message);
    });
    return new Promise((resolve) => {
      socket.addEventListener('close', (event) => {
        clearTimeout(late);
        resolve(event);
      });
    });
  }
}

function sendBy(socket: WebSocket, message: ClientMessage): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

/** Ends early when the browser finds the network again. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      clearTimeout(timer);
      removeEventListener('online', go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    addEventListener('online', go);
  });
}
