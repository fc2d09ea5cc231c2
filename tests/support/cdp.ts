// A DevTools client without manners: it sends what it is told and keeps what comes.
import { once } from 'node:events';
import { within } from './eventually.ts';

type Message = { id?: number; method?: string; sessionId?: string; [field: string]: any };

const answerLimitMs = 30_000;

export class DevToolsClient {
  /** All that came, in order: answers and events. */
  readonly received: Message[] = [];
  /** Resolves with the code when the connection has ended, whoever ended it. */
  readonly closed: Promise<number>;

  readonly #socket: WebSocket;
  readonly #asked = new Map<number, (answer: Message) => void>();
  #lastId = 0;

  /** `address` is ws://... or http://... */
  static async connect(address: string): Promise<DevToolsClient> {
    const socket = new WebSocket(address.replace(/^http/, 'ws'));
    const client = new DevToolsClient(socket);
    const refused = client.closed.then((code) => {
      throw new Error(`the connection was refused or ended (${code}): ${address.split('?')[0]}`);
    });
    refused.catch(() => {}); // once it is open, its end is no refusal
    const either = Promise.race([once(socket, 'open'), refused]);
    await within('the DevTools client connects', answerLimitMs, either);
    return client;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code }) => resolve(code));
    });
    socket.addEventListener('message', ({ data }) => this.#onMessage(JSON.parse(data)));
  }

  /** Sends a command and returns its whole answer, with `result` or `error`. */
  async ask(method: string, params: object = {}, sessionId?: string): Promise<Message> {
    const id = ++this.#lastId;
    const answered = new Promise<Message>((resolve) => this.#asked.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    const hungUp = this.closed.then((code) => {
      throw new Error(`the connection ended (${code}) before ${method} was answered`);
    });
    hungUp.catch(() => {});
    return within(`${method} is answered`, answerLimitMs, Promise.race([answered, hungUp]));
  }

  /** The same, for a command that must work: returns its `result`. */
  async call(method: string, params: object = {}, sessionId?: string): Promise<any> {
    const { result, error } = await this.ask(method, params, sessionId);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Attaches to the first page, and returns the id of that attachment. */
  async attach(): Promise<string> {
    const { targetInfos } = await this.call('Target.getTargets');
    const { targetId } = targetInfos.find(({ type }: { type: string }) => type === 'page');
    return (await this.call('Target.attachToTarget', { targetId, flatten: true })).sessionId;
  }

  /** The value of a JavaScript expression in the attached page. */
  async evaluate(expression: string, sessionId?: string): Promise<any> {
    const params = { expression, returnByValue: true, awaitPromise: true };
    return (await this.call('Runtime.evaluate', params, sessionId)).result.value;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await within('the connection ends', answerLimitMs, this.closed);
  }

  #onMessage(message: Message): void {
    this.received.push(message);
    if (message.id === undefined) return;
    this.#asked.get(message.id)?.(message);
    this.#asked.delete(message.id);
  }
}
