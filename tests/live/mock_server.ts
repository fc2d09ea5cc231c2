// The server's side of the live page, as a test needs it: it serves the page, grants claims, takes
// sockets and files, and keeps all that came.
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { buffer, json } from 'node:stream/consumers';
import { within } from '../support/eventually.ts';

const { WebSocketServer } = createRequire(new URL('../../runner/package.json', import.meta.url))(
  'ws',
);

const dist = new URL('../../live/dist/', import.meta.url);
const limitMs = 10_000;

/** What the real server says of the page, and what the page has to live with. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; " +
  "connect-src 'self' ws: wss:; frame-ancestors *";

export type Message = { type: string; [field: string]: any };
export type Upload = { query: Record<string, string>; type: string; bytes: Buffer };

const hello = {
  type: 'hello',
  role: 'control',
  kind: 'headful',
  driving: true,
  viewers: 1,
  session_id: 'session-1',
};

export async function startMockServer(): Promise<MockServer> {
  const server = new MockServer();
  await server.start();
  return server;
}

export class MockServer {
  url = '';
  /** The bodies of all claims. */
  readonly claims: { ticket?: string }[] = [];
  /** What came over the sockets, in order; "open" and "close" are ours. */
  readonly received: Message[] = [];
  readonly uploads: Upload[] = [];
  /** The answer to the next claims, for a link that is granted to nobody. */
  refusal: { code: number; message: string } | undefined;
  /** The answer to uploads. */
  uploadRefusal: string | undefined;
  /** What the next sockets are told first. */
  hello: Message = hello;
  /** The code with which the next sockets are closed at once. */
  closeWith: number | undefined;

  readonly #events = new EventEmitter();
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error) => response.destroy(error));
  });
  readonly #sockets = new WebSocketServer({ noServer: true });
  #socket: any;

  async start(): Promise<void> {
    this.#events.setMaxListeners(0);
    this.#server.on('upgrade', (request, stream, head) => {
      this.#sockets.handleUpgrade(request, stream, head, (socket: any) => {
        this.#onSocket(socket, request.url ?? '');
      });
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** The messages of the viewer, without acknowledgements and moves of the mouse. */
  get input(): Message[] {
    return this.received.filter(
      ({ type, event }) => !['open', 'close', 'ack'].includes(type) && event !== 'move',
    );
  }

  send(message: Message): void {
    this.#socket.send(JSON.stringify(message));
  }

  sendPicture(picture: Picture): void {
    const header = Buffer.alloc(24);
    header.writeUInt8(1, 0);
    header.writeUInt8(picture.whole ? 1 : 0, 1);
    header.writeUInt32LE(picture.seq, 4);
    const numbers = [picture.x, picture.y, picture.width, picture.height, ...picture.screen];
    for (const [index, number] of numbers.entries()) header.writeUInt16LE(number, 8 + 2 * index);
    this.#socket.send(Buffer.concat([header, picture.jpeg]));
  }

  /** Ends the socket, in order with a code, or as a broken network does. */
  drop(code?: number, reason = ''): void {
    if (code === undefined) this.#socket.terminate();
    else this.#socket.close(code, reason);
  }

  /** The first message of which this is true, among those that came or will come. */
  async receives(what: string, is: (message: Message) => boolean): Promise<Message> {
    return this.#until(what, () => this.received.find(is));
  }

  async receivesType(type: string): Promise<Message> {
    return this.receives(`the page sends ${type}`, (message) => message.type === type);
  }

  async claimed(times: number): Promise<void> {
    await this.#until(`${times} claims`, () => this.claims.length >= times || undefined);
  }

  async opened(times: number): Promise<void> {
    const open = (): number => this.received.filter(({ type }) => type === 'open').length;
    await this.#until(`${times} sockets`, () => open() >= times || undefined);
  }

  async #until<T>(what: string, look: () => T | undefined): Promise<T> {
    const search = async (): Promise<T> => {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        await once(this.#events, 'news');
      }
    };
    try {
      return await within(what, limitMs, search());
    } catch (error) {
      throw new Error(`${what}; so far: ${JSON.stringify(this.received)}`, { cause: error });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const send = (code: number, body: unknown): void => {
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const asset = /^\/live-assets\/(page\.(?:js|css))$/.exec(pathname)?.[1];
    if (request.method === 'GET' && asset !== undefined) {
      const type = asset.endsWith('js') ? 'text/javascript' : 'text/css';
      response.writeHead(200, { 'content-type': type }).end(readFileSync(new URL(asset, dist)));
    } else if (request.method === 'GET' && /^\/live\/[^/]+$/.test(pathname)) {
      const headers = { 'content-type': 'text/html', 'content-security-policy': policy };
      response.writeHead(200, headers).end(readFileSync(new URL('page.html', dist)));
    } else if (pathname.endsWith('/claim')) {
      this.claims.push((await json(request)) as { ticket?: string });
      const data = { ticket: `ticket-${this.claims.length}`, role: this.hello['role'] };
      if (this.refusal) send(this.refusal.code, { error: this.refusal });
      else send(200, { data: { ...data, session_id: 'session-1' } });
      this.#events.emit('news');
    } else if (pathname.endsWith('/files')) {
      const query = Object.fromEntries(searchParams);
      const type = request.headers['content-type'] ?? '';
      this.uploads.push({ query, type, bytes: await buffer(request) });
      if (this.uploadRefusal === undefined) send(200, { data: { id: `file-${query['name']}` } });
      else send(413, { error: { code: 413, message: this.uploadRefusal } });
    } else {
      send(404, { error: { code: 404, message: 'There is no such page.' } });
    }
  }

  #onSocket(socket: any, url: string): void {
    this.#socket = socket;
    const note = (message: Message): void => {
      this.received.push(message);
      this.#events.emit('news');
    };
    socket.on('message', (text: Buffer) => note(JSON.parse(text.toString())));
    socket.on('close', () => note({ type: 'close' }));
    note({ type: 'open', url });
    if (this.closeWith !== undefined) socket.close(this.closeWith);
    else socket.send(JSON.stringify(this.hello));
  }
}

export type Picture = {
  seq: number;
  x: number;
  y: number;
  width: number;
  height: number;
  screen: [number, number];
  jpeg: Buffer;
  whole?: boolean;
};
