// A small web site on a free loopback port, for the browsers of the sessions under test.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';

export async function startSite(): Promise<Site> {
  const site = new Site();
  await site.start();
  return site;
}

export class Site {
  /** "http://127.0.0.1:PORT" */
  url = '';
  /** What was asked for so far: "GET /form". */
  readonly requests: string[] = [];

  readonly #server: Server = createServer((request, response) => {
    this.requests.push(`${request.method} ${request.url}`);
    this.#answer(request, response).catch((error) => response.destroy(error));
  });

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when the next visitor waits for /never. */
  async visitorWaits(): Promise<void> {
    await once(this.#server, 'waiting');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
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

function page(title: string, content: string): string {
  return `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${content}`;
}

function send(response: ServerResponse, html: string, status = 200): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(html);
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
