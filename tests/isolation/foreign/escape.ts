// A task that tries to get out of its cage by every way that we know of. It is pushed and run as
// it stands here, so it has only what a task has. Where Node has no words for an attempt, Perl
// makes the system call: it is on every Debian, and inside every cage.
//
// An attempt gets through when it returns something true; it is held when it returns something
// false or throws. An attempt that is held by something that no cage is about (a program that
// isn't there, say) proves nothing: that is what the controls are for, which must all be true.
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import type { Targets } from '../canaries.ts';
import type { Outcomes } from '../outcomes.ts';

export type EscapeOrder = Targets & {
  server: number;
  serverPort: number;
  data: string;
  runner: string;
  secret: string;
};
export type Findings = Outcomes & { controls: string[] };

const order: EscapeOrder = JSON.parse(process.env['ANCHOR_ORDER'] ?? '{}');
const home = process.env['HOME'] ?? '';
const proc = `/proc/${order.server}`;
const patienceMs = 1_000;

type Attempt = () => unknown;

function says(text: string | Buffer): boolean {
  return text.includes(order.word);
}

function opens(file: string, flags: number | string): boolean {
  fs.closeSync(fs.openSync(file, flags));
  return true;
}

/** Reads what is there and what a number of a process must not lead to. */
function reads(file: string): boolean {
  const opened = fs.openSync(file, 'r');
  try {
    return fs.readSync(opened, Buffer.alloc(1)) >= 0;
  } finally {
    fs.closeSync(opened);
  }
}

/** Connects, and hears the word. */
async function hears(place: net.NetConnectOpts): Promise<boolean> {
  const socket = net.connect(place);
  socket.setTimeout(patienceMs, () => socket.destroy(new Error('no answer')));
  const [heard] = await once(socket, 'data');
  socket.destroy();
  return says(heard);
}

/** Runs Perl code and returns what it printed; throws what it complained of. */
function perl(code: string): string {
  const { status, stdout, stderr, error } = spawnSync('perl', ['-e', `use Socket; ${code}`], {
    encoding: 'utf8',
    timeout: 10 * patienceMs,
  });
  if (error !== undefined || status !== 0) throw error ?? new Error(stderr.split(' at -e')[0]);
  return stdout;
}

/** Makes a system call by its x86-64 number; the arguments are Perl's. Throws what it fails with. */
function calls(number: number, ...args: (number | string)[]): true {
  // A text must be a variable's: Perl hands out its address.
  perl(`my @a = (${args.join(', ')}); syscall(${number}, @a) != -1 or die "$!"`);
  return true;
}

const loopback = (port: number) => `sockaddr_in(${port}, inet_aton("127.0.0.1"))`;
const newSocket = (protocol = 0) => `socket(my $s, AF_INET, SOCK_STREAM, ${protocol}) or die "$!";`;
const said = 'sysread($s, my $heard, 100); print $heard';

const files: Record<string, Attempt> = {
  'read a file of the machine': () => says(fs.readFileSync(order.file)),
  'read it through a symbolic link': () => {
    fs.symlinkSync(order.file, `${home}/link`);
    return says(fs.readFileSync(`${home}/link`));
  },
  'read it through a hard link': () => {
    fs.linkSync(order.file, `${home}/hard`);
    return says(fs.readFileSync(`${home}/hard`));
  },
  'read it by climbing': () => says(fs.readFileSync(`${home}/${'../'.repeat(40)}${order.file}`)),
  'read it through the root of a process': () =>
    says(fs.readFileSync(`/proc/self/root${order.file}`)),
  'read it through the root of pid 1': () => says(fs.readFileSync(`/proc/1/root${order.file}`)),
  'read it with another program': () => says(perl(`exec "cat", "${order.file}"`)),
  'list its folder': () => fs.readdirSync(order.folder).includes('file'),
  'learn its size': () => fs.statSync(order.file).size === order.word.length,
  'watch its folder': () => fs.watch(order.folder).close() === undefined,
  'write into it': () => opens(order.file, 'r+'),
  'empty it': () => fs.truncateSync(order.file, order.word.length) === undefined,
  'plant a file': () => opens(`${order.folder}/planted`, 'w'),
  'plant a folder': () => fs.mkdirSync(`${order.folder}/planted-folder`) === undefined,
  'plant a symbolic link': () => {
    fs.symlinkSync('/', `${order.folder}/planted-link`);
    return true;
  },
  'move a file out': () => {
    fs.writeFileSync(`${home}/mine`, '');
    fs.renameSync(`${home}/mine`, `${order.folder}/planted-move`);
    return true;
  },
  'change its times': () => fs.utimesSync(order.file, 0, 0) === undefined,
  'change the mode of a file of the server': () => fs.chmodSync(order.file, 0o604) === undefined,
  'read /etc/shadow': () => reads('/etc/shadow'),
  'list /root': () => fs.readdirSync('/root'),
  'list the data folder': () => isDataFolder(),
  'read the database': () => reads(`${order.data}/capstan.db`),
  'read the first key': () => reads(`${order.data}/api-key`),
  'read the operator token': () => reads(`${order.data}/operator.json`),
  'write into the data folder': () => opens(`${order.data}/planted`, 'w') && isDataFolder(),
  'poison the compile cache': () => opens(mayOpen(compiledFile(), 0o600), 'r+'),
  'write into the compile cache': () =>
    opens(`${mayOpen(`${order.data}/compile-cache`, 0o700)}/planted`, 'w'),
  'write into the runner': () => opens(`${order.runner}/dist/planted`, 'w'),
  'change the runner': () => opens(`${order.runner}/dist/worker.mjs`, 'r+'),
  'write into /usr': () => opens('/usr/planted', 'w'),
  'write into /etc': () => opens('/etc/planted', 'w'),
  'write into /dev/shm': () => opens('/dev/shm/capstan-planted', 'w'),
  'read /sys': () => fs.readdirSync('/sys/kernel'),
  'leave its control group': () =>
    fs.writeFileSync('/sys/fs/cgroup/pids/cgroup.procs', `${process.pid}`) === undefined,
  'set a parameter of the kernel': () => opens('/proc/sys/kernel/core_pattern', 'r+'),
  'protect itself from want of memory': () =>
    fs.writeFileSync('/proc/self/oom_score_adj', '-1000') === undefined,
  'open a device': () =>
    ['kmsg', 'mem', 'vda', 'sda', 'kvm', 'fuse', 'net/tun', 'vsock', 'ptmx'].some((name) => {
      try {
        return opens(`/dev/${name}`, 'r');
      } catch {
        return false;
      }
    }),
  'make a device': () => calls(133, `"${home}/device"`, 0o020666, 0x101),
};

/** A cage may have an empty folder of its own on the way to what it may see. */
function isDataFolder(): boolean {
  return fs.readdirSync(order.data).includes('capstan.db');
}

/** What is closed to all, its owner may open again; what isn't theirs stays as it is. */
function mayOpen(path: string, mode: number): string {
  try {
    fs.chmodSync(path, mode);
  } catch {
    // then the attempt shows what it is worth without
  }
  return path;
}

function compiledFile(): string {
  const cache = `${order.data}/compile-cache`;
  const [version = ''] = fs.readdirSync(cache);
  const [file = ''] = fs.readdirSync(`${cache}/${version}`);
  return `${cache}/${version}/${file}`;
}

const inherited: Record<string, Attempt> = {
  "find the server's secret in the environment": () => environmentOf('self').includes(order.secret),
  'find it in the environment of pid 1': () => environmentOf('1').includes(order.secret),
  'inherit a descriptor': () =>
    fs.readdirSync('/proc/self/fd').some((number) => leadsOut(`/proc/self/fd/${number}`)),
};

function environmentOf(process: string): string {
  return fs.readFileSync(`/proc/${process}/environ`, 'utf8');
}

function leadsOut(descriptor: string): boolean {
  try {
    const target = fs.readlinkSync(descriptor);
    return target.includes(order.data) || target.includes('/machine');
  } catch {
    return false; // the one by which the folder was read
  }
}

const processes: Record<string, Attempt> = {
  "read the server's command line": () => fs.readFileSync(`${proc}/cmdline`, 'utf8').includes('serve'),
  "read the server's environment": () => environmentOf(`${order.server}`).includes(order.secret),
  "open the server's memory": () => opens(`${proc}/mem`, 'r+'),
  "read the server's memory map": () => fs.readFileSync(`${proc}/maps`, 'utf8').includes('capstan'),
  "look through the server's root": () => says(fs.readFileSync(`${proc}/root${order.file}`)),
  "list the server's descriptors": () => fs.readlinkSync(`${proc}/fd/2`),
  "enter the server's folder": () => fs.readdirSync(`${proc}/cwd`),
  'signal the server': () => fs.existsSync(proc) && process.kill(order.server, 0),
  'signal it through a descriptor': () =>
    perl(`my $fd = syscall(434, ${order.server}, 0); $fd != -1 or die "$!";
      syscall(424, $fd, 0, 0, 0) != -1 or die "$!"; print "signalled"`),
  'limit the server': () => isServer() && calls(302, order.server, 4, 'pack("Q Q", 0, 0)', 0),
  'slow the server down': () => isServer() && calls(141, 0, order.server, 1),
  'slow down all of its user': () =>
    isServer() && fs.statSync(proc).uid === process.getuid?.() && calls(141, 2, 0, 1),
  'pin the server to a processor': () => isServer() && calls(203, order.server, 8, 'pack("Q", 3)'),
  'trace the server': () => isServer() && calls(101, 0x4206, order.server, 0, 0),
  // A bad address is what is left to complain of.
  "read the server's memory across": () =>
    isServer() &&
    perl(`my $to = "\\0" x 16; my $here = pack("pQ", $to, 16); my $there = pack("QQ", 4096, 16);
      my $got = syscall(310, ${order.server}, $here, 1, $there, 1, 0);
      $got != -1 || $!{EFAULT} or die "$!"; print "read"`),
  "take a descriptor of the server's": () =>
    isServer() &&
    perl(`my $fd = syscall(434, ${order.server}, 0); $fd != -1 or die "$!";
      syscall(438, $fd, 2, 0) != -1 or die "$!"; print "taken"`),
  "join the server's namespaces": () =>
    isServer() &&
    perl(`open(my $ns, "<", "${proc}/ns/net") or die "$!";
      syscall(308, fileno($ns), 0) != -1 or die "$!"; print "joined"`),
};

/** In another pid namespace its number is nobody's, or somebody else's. */
function isServer(): boolean {
  return fs.readFileSync(`${proc}/comm`, 'utf8').startsWith('capstan');
}

const network: Record<string, Attempt> = {
  'connect to the machine': () => hears({ port: order.tcp, host: '127.0.0.1' }),
  'connect to it over IPv6': () => hears({ port: order.tcp6, host: '::1' }),
  'connect to it by an IPv4 address in IPv6': () =>
    hears({ port: order.tcp, host: '::ffff:127.0.0.1' }),
  'connect to it by 0.0.0.0': () => hears({ port: order.tcp, host: '0.0.0.0' }),
  'connect to it with the first bytes': () =>
    says(perl(`${newSocket()} send($s, "?", 0x20000000, ${loopback(order.tcp)}) or die "$!"; ${said}`)),
  'connect to it over several paths': () =>
    says(perl(`${newSocket(262)} connect($s, ${loopback(order.tcp)}) or die "$!"; ${said}`)),
  "connect to the server's main port": async () => {
    const socket = net.connect({ port: order.serverPort, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.destroy();
    return true;
  },
  // Whether it arrives, the canary tells.
  'send a datagram': async () => {
    const socket = createSocket('udp4');
    const sent = new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.send('?', order.udp, '127.0.0.1', (error) => (error ? reject(error) : resolve(0)));
    });
    await sent.finally(() => socket.close());
    return false;
  },
  'connect to an abstract socket': () => hears({ path: `\0${order.abstractSocket}` }),
  'connect to a socket file': () => hears({ path: order.socketFile }),
  'read shared memory': () => perl(`shmread(${order.sharedMemory}, my $b, 0, 8) or die "$!"; print "read"`),
  'see who is connected': () =>
    fs.readFileSync('/proc/net/tcp', 'utf8').includes(`:${order.tcp.toString(16).toUpperCase()} `),
  'open a packet socket': () => calls(41, 17, 3, 0),
  'open a raw socket': () => calls(41, 2, 3, 1),
  'open a socket to the hypervisor': () => calls(41, 40, 1, 0),
  "open a socket to the kernel's ciphers": () => calls(41, 38, 5, 0),
  'open a socket to device events': () => calls(41, 16, 3, 15),
  'open a Bluetooth socket': () => calls(41, 31, 3, 0),
};

const newUserNamespace = 0x10000000;
const kernel: Record<string, Attempt> = {
  'make a user namespace': () => calls(272, newUserNamespace),
  'start a process in one': () => calls(56, newUserNamespace | 17, 0, 0, 0, 0),
  'start a process in one by clone3': () =>
    calls(435, `pack("Q11", ${newUserNamespace}, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)`, 88),
  'make a network': () => calls(272, 0x40000000),
  'become root': () => calls(105, 0),
  'become a group of root': () => calls(106, 0),
  'mount something': () => calls(165, '"none"', `"${home}"`, '"tmpfs"', 0, 0),
  'unmount something': () => calls(166, '"/proc"', 2),
  'mount by the new interface': () => calls(430, '"tmpfs"', 0),
  'change the root': () => calls(161, `"${home}"`),
  'use BPF': () => calls(321, 0, 'pack("L4 x112", 2, 4, 8, 1)', 128),
  'count events of the processor': () => calls(298, 'pack("L L Q x96", 1, 112, 0)', 0, -1, -1, 0),
  'use a key ring': () => calls(248, '"user"', '"capstan-test"', '"x"', 1, -3),
  'use io_uring': () => calls(425, 1, '"\\0" x 120'),
  'handle its own page faults': () => calls(323, 1),
  'have secret memory': () => calls(447, 0),
  'name a file by its handle': () => calls(303, -100, '"/"', 'pack("L L x128", 128, 0)', '"\\0" x 8', 0),
  "read the kernel's log": () => calls(103, 10, 0, 0),
  'compare its own descriptors': () => calls(312, process.pid, process.pid, 0, 0, 0),
  'raise its own limit of open files': () =>
    calls(302, 0, 7, 'pack("QQ", 1 << 20, 1 << 20)', 0),
  'put itself first': () => calls(141, 0, 0, -20),
  'type into a terminal': () =>
    perl('my $c = "x"; ioctl(STDIN, 0x5412, $c) or $!{ENOTTY} or die "$!"; print "typed"'),
};

/** What must work, so that the rest means something. */
const controls: Record<string, Attempt> = {
  'has a home': () => opens(`${home}/file`, 'w'),
  'has Perl': () => perl('print "here"') === 'here',
  'can make system calls': () => calls(39),
  'can read of itself': () => environmentOf('self').includes(home),
  'can call at its door': async () =>
    (await fetch(`${process.env['ANCHORBROWSER_BASE_URL']}/v1/task`)).status === 200,
  'has no capabilities': () => /^Cap(Eff|Prm):\t0+$/m.test(fs.readFileSync('/proc/self/status', 'utf8')),
  'gets no new privileges': () => /^NoNewPrivs:\t1$/m.test(fs.readFileSync('/proc/self/status', 'utf8')),
};

async function outcomeOf(attempt: Attempt): Promise<string | undefined> {
  try {
    return (await attempt()) ? undefined : 'to no effect';
  } catch (error) {
    return (error as Error).message;
  }
}

export default async (): Promise<Findings> => {
  const findings: Findings = { through: [], held: {}, controls: [] };
  for (const [name, control] of Object.entries(controls)) {
    const failure = await outcomeOf(control);
    if (failure !== undefined) findings.controls.push(`${name}: ${failure}`);
  }
  for (const group of [files, inherited, processes, network, kernel]) {
    for (const [name, attempt] of Object.entries(group)) {
      const held = await outcomeOf(attempt);
      if (held === undefined) findings.through.push(name);
      else findings.held[name] = held;
    }
  }
  return findings;
};
