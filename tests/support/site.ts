// A small web site on a free loopback port, for the browsers of the sessions under test.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import type { Certificate } from './certificates.ts';
import { acceptOf, frame, opcodes } from './raw_websocket.ts';

/** With a certificate, a site of https. */
export async function startSite(certificate?: Certificate): Promise<Site> {
  const site = new Site(certificate);
  await site.start();
  return site;
}

export type Visit = {
  /** "GET /form" */
  request: string;
  /** The address that it came from: "127.0.0.1". */
  from: string;
  /** Names and values, in turn. */
  headers: string[];
};

/** How long /cargo is. */
export const cargoBytes = 1_000_000;

export class Site {
  /** "http://127.0.0.1:PORT" */
  url = '';
  /** All who came so far. */
  readonly visits: Visit[] = [];

  readonly #server: Server;
  /** Those who talk by WebSocket, of whom the server knows no more. */
  readonly #greeted = new Set<Duplex>();

  constructor(certificate?: Certificate) {
    this.#server = certificate ? createSecureServer(certificate) : createServer();
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#note(request);
      this.#answer(request, response).catch((error) => response.destroy(error));
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
      this.#note(request);
      this.#greeted.add(socket.on('close', () => this.#greeted.delete(socket)));
      greet(request, socket);
    });
  }

  /** What was asked for so far: "GET /form". */
  get requests(): string[] {
    return this.visits.map(({ request }) => request);
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const protocol = this.#server instanceof SecureServer ? 'https' : 'http';
    this.url = `${protocol}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when the next visitor waits for /never. */
  async visitorWaits(): Promise<void> {
    await once(this.#server, 'waiting');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    for (const socket of this.#greeted) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #note({ method, url, socket, rawHeaders }: IncomingMessage): void {
    const from = socket.remoteAddress ?? '';
    this.visits.push({ request: `${method} ${url}`, from, headers: rawHeaders });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (`${request.method} ${request.url?.split('?')[0]}`) {
      case 'GET /':
        return send(response, page('The harbour', '<p>Three ships are in.</p>'));
      case 'GET /form':
        return send(response, page('Form', form));
      case 'POST /form': {
        const name = new URLSearchParams(await textOf(request)).get('name') ?? '';
        return send(response, page('Answer', `<p id="greeting">Hello, ${escaped(name)}</p>`));
      }
      case 'GET /cargo': // what nobody can make shorter on the way
        response.writeHead(200, { 'content-type': 'application/octet-stream' });
        response.end(randomBytes(cargoBytes));
        return;
      case 'POST /cargo':
        return send(response, page('Taken', `${(await textOf(request)).length}`));
      case 'GET /never': // leaves its visitor waiting
        this.#server.emit('waiting');
        return;
      default:
        return send(response, page('Not found', ''), 404);
    }
  }
}

const form = `<form method="post" action="/form">
  <label>Name <input name="name"></label> <button>Send</button>
</form>`;

/** Takes any WebSocket, and says one word to it. */
function greet({ headers }: IncomingMessage, socket: Duplex): void {
  const accept = acceptOf(headers['sec-websocket-key'] ?? '');
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.on('error', () => {}); // a visitor may leave as it likes
  socket.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`);
  socket.write(frame({ opcode: opcodes.text, payload: 'Ahoy', masked: false }));
}

function page(title: string, content: string): string {
  return `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${content}`;
}

function send(response: ServerResponse, html: string, status = 200): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(html);
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
