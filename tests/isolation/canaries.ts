// What nobody in a cage may touch, put up on this machine so that nothing but walls protects it:
// everybody may read and write the files, and connect to the sockets.
import { execFileSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net';
import path from 'node:path';

/** What an attacker is told of them, which is more than he could know. */
export type Targets = {
  /** In the file, and said by every socket to those who connect. */
  word: string;
  folder: string;
  file: string;
  tcp: number;
  tcp6: number;
  udp: number;
  abstractSocket: string;
  socketFile: string;
  sharedMemory: number;
};

export class Canaries {
  readonly targets: Targets;
  /** What arrived at the sockets: "tcp". A datagram or a connection may be all there is to see. */
  readonly hits: string[] = [];

  readonly #servers: Server[] = [];
  readonly #udp: Socket = createSocket('udp4');

  /** In a new folder of `parent`; the files are the `owner`'s. */
  static async putUp(parent: string, owner: number): Promise<Canaries> {
    const canaries = new Canaries(path.join(parent, 'canary'), owner);
    await canaries.#open();
    return canaries;
  }

  private constructor(folder: string, owner: number) {
    const word = `canary ${Math.random()}`;
    const file = path.join(folder, 'file');
    mkdirSync(folder);
    writeFileSync(file, word);
    for (const [place, mode] of [[folder, 0o777], [file, 0o666]] as const) {
      chownSync(place, owner, owner);
      chmodSync(place, mode);
    }
    const abstractSocket = `capstan-test-canary-${process.pid}-${word.slice(-6)}`;
    const socketFile = path.join(folder, 'socket');
    const ports = { tcp: 0, tcp6: 0, udp: 0 };
    this.targets = { word, folder, file, ...ports, abstractSocket, socketFile, sharedMemory: 0 };
  }

  /** What has come of the files: "planted FILE", "changed the file", "changed its mode". */
  changes(): string[] {
    const { folder, file, word } = this.targets;
    const planted = readdirSync(folder).filter((name) => !['file', 'socket'].includes(name));
    const found = planted.map((name) => `planted ${name}`);
    if (!existsSync(file)) return [...found, 'removed the file'];
    if (readFileSync(file, 'utf8') !== word) found.push('changed the file');
    if ((statSync(file).mode & 0o777) !== 0o666) found.push('changed its mode');
    return found;
  }

  takeDown(): void {
    for (const server of this.#servers) server.close();
    this.#udp.close();
    execFileSync('ipcrm', ['--shmem-id', `${this.targets.sharedMemory}`]);
    rmSync(this.targets.folder, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    const { targets } = this;
    targets.tcp = await this.#listen('tcp', { host: '127.0.0.1', port: 0 });
    targets.tcp6 = await this.#listen('tcp over IPv6', { host: '::1', port: 0 });
    await this.#listen('abstract socket', { path: `\0${targets.abstractSocket}` });
    await this.#listen('socket file', { path: targets.socketFile });
    chmodSync(targets.socketFile, 0o777);
    this.#udp.on('message', () => this.hits.push('udp')).bind(0, '127.0.0.1');
    await once(this.#udp, 'listening');
    targets.udp = this.#udp.address().port;
    const made = execFileSync('ipcmk', ['--shmem', '64', '--mode', '0666'], { encoding: 'utf8' });
    targets.sharedMemory = Number(/\d+/.exec(made)?.[0]);
  }

  async #listen(name: string, place: ListenOptions): Promise<number> {
    const server = createServer((socket) => {
      this.hits.push(name);
      socket.on('error', () => {}).end(this.targets.word);
    });
    this.#servers.push(server);
    server.listen(place);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port ?? 0;
  }
}
