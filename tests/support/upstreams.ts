// Proxies that sessions leave through: those of Debian, started by a test on free loopback ports.
// What they fetch comes from an address of their own, so that a site sees who has asked.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { Certificate } from './certificates.ts';
import { eventually, within } from './eventually.ts';

export type Login = { username: string; password: string };

export type UpstreamOptions = {
  /** The address that its sites see: "127.0.0.2". */
  from: string;
  /** Where it listens; else at 127.0.0.1. */
  address?: string;
  /** What it wants to be told; else it serves everybody. */
  login?: Login;
};

const startLimitMs = 10_000;
const endLimitMs = 5_000;
const attemptsMax = 5; // somebody may take the port that was free a moment ago

/** A running proxy. */
export abstract class Upstream {
  /** PROTOCOL://HOST:PORT, the same after each start. */
  server = '';
  readonly from: string;
  readonly login: Login;
  /** What it wrote so far. Both tell of each client. */
  log = '';

  protected readonly address: string;
  protected port = 0;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'capstan-upstream-'));
  #child: ChildProcess | undefined;

  constructor({ from, address = '127.0.0.1', login }: UpstreamOptions) {
    this.from = from;
    this.address = address;
    this.login = login ?? { username: '', password: '' };
    process.once('exit', this.#cleanUp);
  }

  protected abstract readonly protocol: string;
  /** The program and its words; settings go into a file of its folder. */
  protected abstract command(folder: string): string[];

  /** Starts it, or starts it again at the same port after it was killed. */
  async start(): Promise<this> {
    assert.equal(this.#child, undefined, 'it does not run yet');
    const isFirst = this.port === 0;
    for (let attempts = 1; this.#child === undefined; attempts += 1) {
      if (isFirst) this.port = await freePort(this.address);
      await this.#launch().catch((error: Error) => {
        if (!isFirst || attempts === attemptsMax) throw error;
      });
    }
    this.server = `${this.protocol}://${this.address}:${this.port}`;
    return this;
  }

  /** Kills it as a crash would, with all its connections. */
  async kill(): Promise<void> {
    assert.ok(this.#child, 'it runs');
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await within('the proxy ends', endLimitMs, ended);
    this.#child = undefined;
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined) await this.kill();
    this.#cleanUp();
    process.removeListener('exit', this.#cleanUp);
  }

  async #launch(): Promise<void> {
    // It becomes the proxy, which keeps the process id and goes when we do.
    const words = ['--pdeathsig', 'KILL', ...this.command(this.#folder)];
    const child = spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const note = (bytes: Buffer): void => void (this.log += bytes);
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    const listens = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`the proxy ended at its start:\n${this.log}`);
      return accepts(this.address, this.port);
    };
    try {
      await eventually('the proxy listens', listens, startLimitMs);
      this.#child = child;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  readonly #cleanUp = (): void => {
    this.#child?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  };
}

/** A proxy of HTTP. Its login has letters, digits, '-', '.' and '_', which is all that it takes. */
export class Tinyproxy extends Upstream {
  protected readonly protocol = 'http';

  protected command(folder: string): string[] {
    const { username, password } = this.login;
    const settings = [
      `Port ${this.port}`,
      `Listen ${this.address}`,
      `Bind ${this.from}`,
      ...(username === '' ? [] : [`BasicAuth ${username} ${password}`]),
      'LogLevel Info',
    ];
    const file = path.join(folder, 'tinyproxy.conf');
    writeFileSync(file, `${settings.join('\n')}\n`, { mode: 0o600 });
    return ['tinyproxy', '-d', '-c', file];
  }
}

/** A proxy of SOCKS5. It takes its login as words, and blots them out at once. */
export class Microsocks extends Upstream {
  protected readonly protocol = 'socks5';

  protected command(): string[] {
    const { username, password } = this.login;
    const login = username === '' ? [] : ['-u', username, '-P', password];
    const place = ['-i', this.address, '-p', `${this.port}`, '-b', this.from];
    return ['microsocks', ...place, ...login];
  }
}

/** What makes a proxy of HTTPS of one of HTTP: it takes TLS off and passes the rest on. */
export class TlsFront {
  server = '';
  readonly from: string;
  readonly login: Login;
  /** How many bytes of clients have come, once they were decrypted. */
  bytes = 0;

  readonly #listener: TlsServer;
  readonly #sockets = new Set<Socket>();

  constructor(upstream: Upstream, { key, cert }: Certificate) {
    this.from = upstream.from;
    this.login = upstream.login;
    const { hostname, port } = new URL(upstream.server);
    this.#listener = createTlsServer({ key, cert }, (client) => {
      const inner = connect({ host: hostname, port: Number(port) });
      client.on('data', (bytes: Buffer) => (this.bytes += bytes.length));
      this.#carry(client, inner);
      this.#carry(inner, client);
    });
    this.#listener.on('tlsClientError', () => {}); // who does not believe the certificate
  }

  async start(): Promise<this> {
    this.#listener.listen(0, '127.0.0.1');
    await once(this.#listener, 'listening');
    this.server = `https://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('error', () => {}); // either side may break off
    from.on('close', () => {
      this.#sockets.delete(from);
      to.end();
    });
    from.pipe(to);
  }
}

/** A port that nobody listens at, at this moment. */
async function freePort(address: string): Promise<number> {
  const listener = createServer().listen(0, address);
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

function accepts(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
