// All that can be reached in the test's own network: one public site, and a canary at every other
// address. There is a port for each attempt, so what touches a canary tells which one it was.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { eventually } from '../support/eventually.ts';
import { publicAddresses } from './own_network.ts';

export const siteAnswer = 'a public page';

export class Outside {
  /** The attempts that touched a canary, each with the addresses at which it did. */
  readonly hits = new Map<string, Set<string>>();
  /** What the public site was asked for. */
  readonly visits: string[] = [];

  readonly #closers: (() => void)[] = [];
  readonly #ports = new Map<string, number>();

  /** Where the public site is by that name. */
  async site(name: string): Promise<string> {
    return `http://${name}:${await this.canaryFor('the public site')}/`;
  }

  /** The port of the canary for the attempt, at all addresses, for TCP and UDP. */
  async canaryFor(attempt: string): Promise<number> {
    const known = this.#ports.get(attempt);
    if (known !== undefined) return known;
    let port = await this.#listen(attempt, 0);
    // What is free for TCP may be somebody's for UDP.
    while (!(await this.#hearDatagrams(attempt, port))) port = await this.#listen(attempt, 0);
    this.#ports.set(attempt, port);
    return port;
  }

  /** The same at an address and a port where somebody may listen at others. */
  async canaryAt(attempt: string, port: number, address: string): Promise<void> {
    await this.#listen(attempt, port, address);
  }

  /** Those of the attempts that have touched no canary even after a while. */
  async missing(attempts: string[]): Promise<string[]> {
    const missing = () => attempts.filter((attempt) => !this.hits.has(attempt));
    await eventually('all have arrived', () => missing().length === 0, 10_000).catch(() => {});
    return missing();
  }

  close(): void {
    for (const close of this.#closers) close();
  }

  async #listen(attempt: string, port: number, address = '::'): Promise<number> {
    const server = createServer((request, response) => {
      if (isPublic(request.socket)) this.#answer(request, response);
      else send(response, { 'content-type': 'text/plain' }, 'a canary');
    });
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      if (!isPublic(socket)) this.#hit(attempt, addressOf(socket));
    });
    server.on('upgrade', (_, socket) => socket.destroy());
    server.listen(port, address);
    await once(server, 'listening');
    this.#closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  async #hearDatagrams(attempt: string, port: number): Promise<boolean> {
    const datagrams = createSocket('udp6').on('message', () => this.#hit(attempt, 'by UDP'));
    datagrams.bind(port);
    const isOpen = await once(datagrams, 'listening').then(
      () => true,
      () => false,
    );
    if (isOpen) this.#closers.push(() => datagrams.close());
    else datagrams.close();
    return isOpen;
  }

  #hit(attempt: string, where: string): void {
    this.hits.set(attempt, (this.hits.get(attempt) ?? new Set()).add(where));
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    this.visits.push(url);
    const [, kind = '', detail = ''] = url.split(/[/?]/);
    const to = decodeURIComponent(url.slice(url.indexOf('?') + 1));
    const html = { 'content-type': 'text/html' };
    if (kind === 'redirect') send(response, { location: to }, '', Number(detail));
    else if (kind === 'refresh') {
      send(response, html, `<meta http-equiv="refresh" content="0;url=${to}">`);
    } else if (kind === 'refresh-header') send(response, { ...html, refresh: `0;url=${to}` }, '');
    else if (kind === 'links') {
      send(response, { ...html, link: `<${to}>; rel=preload; as=fetch; crossorigin` }, '');
    } else if (kind === 'report') {
      const policy = `img-src 'none'; report-uri ${to}`;
      send(response, { ...html, 'content-security-policy': policy }, '<img src="/refused">');
    } else if (kind === 'worker') {
      send(response, { 'content-type': 'text/javascript' }, serviceWorker);
    } else if (kind === 'download') {
      const disposition = 'attachment; filename="from-the-site"';
      send(response, { ...html, 'content-disposition': disposition }, 'x');
    } else send(response, html, `<body>${siteAnswer}</body>`);
  }
}

const serviceWorker = `
  onmessage = ({ data, ports }) => {
    fetch(data, { mode: 'no-cors' }).catch(() => {}).then(() => ports[0].postMessage('done'));
  };`;

function addressOf({ localAddress = '' }: Socket): string {
  return localAddress.replace(/^::ffff:(?=\d+\.)/, '');
}

function isPublic(socket: Socket): boolean {
  return publicAddresses.includes(addressOf(socket));
}

function send(
  response: ServerResponse,
  headers: Record<string, string>,
  body: string,
  status = 200,
): void {
  const always = { 'access-control-allow-origin': '*', connection: 'close' };
  response.writeHead(status, { ...always, ...headers }).end(body);
}
