// A site on a free loopback port that is work to load: a small page, one of many pieces, and
// downloads. Nothing of it may be kept, so that each load is a whole one.
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What /many loads besides itself. */
export const pieceCount = 200;

const block = Buffer.alloc(64 * 1024, 'capstan ');
const text = '<p>Three ships are in, and one is about to leave.</p>\n'.repeat(40);
const script = `globalThis.loaded = (globalThis.loaded ?? 0) + 1; // ${'x'.repeat(2000)}`;
// One pixel; what follows it is no part of the picture.
const pixel = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
const image = Buffer.concat([Buffer.from(pixel, 'base64'), Buffer.alloc(2000)]);

const pieces = Array.from({ length: pieceCount / 2 }, (_, number) => {
  return `<script src="/script?${number}" async></script><img src="/image?${number}">`;
}).join('\n');

export class HeavySite {
  /** "http://127.0.0.1:PORT" */
  url = '';
  /** How many requests it has had. */
  requests = 0;

  readonly #server: Server = createServer((request, response) => {
    ++this.requests;
    answer(new URL(request.url!, this.url), response).catch((error) => response.destroy(error));
  });

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function answer(url: URL, response: ServerResponse): Promise<void> {
  switch (url.pathname) {
    case '/small':
      return send(response, 'text/html', `<!doctype html><title>Small</title>${text}`);
    case '/many':
      return send(response, 'text/html', `<!doctype html><title>Many</title>${text}${pieces}`);
    case '/script':
      return send(response, 'text/javascript', script);
    case '/image':
      return send(response, 'image/gif', image);
    case '/download': {
      const bytes = Number(url.searchParams.get('mib')) * 1024 * 1024;
      response.writeHead(200, headers('application/octet-stream', bytes));
      return pipeline(Readable.from(blocks(bytes / block.length)), response);
    }
    default:
      response.writeHead(404).end();
  }
}

function* blocks(count: number): Iterable<Buffer> {
  for (let sent = 0; sent < count; ++sent) yield block;
}

function send(response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, headers(type, Buffer.byteLength(body))).end(body);
}

const headers = (type: string, length: number) => ({
  'content-type': type,
  'content-length': length,
  'cache-control': 'no-store',
});
