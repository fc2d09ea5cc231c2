// A task tries to get out of its cage, at every level and for either kind of server. What holds it
// is written down here, and anything that comes out otherwise fails.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { binary } from '../support/server.ts';
import { deployTask, outputOf } from '../support/tasks.ts';
import { Canaries } from './canaries.ts';
import type { EscapeOrder, Findings } from './foreign/escape.ts';
import { assertOutcomes, type Row } from './outcomes.ts';
import { nameOf, places, secret, startAt } from './places.ts';

const code = readFileSync(new URL('foreign/escape.ts', import.meta.url), 'utf8');
const limit = { timeout: 60_000 };

/** A user id of its own holds it already; a server that is no root has none to give. */
const byUser = { root: 'none', 'an ordinary user': 'standard' } as const;

const rows: Row[] = [
  {
    // Landlock has no say in what is told of files and processes without opening them.
    held: 'strict',
    attempts: [
      'learn its size',
      'watch its folder',
      "read the server's command line",
      'see who is connected',
    ],
  },
  {
    held: 'standard',
    attempts: [
      'read a file of the machine',
      'read it through a symbolic link',
      'read it through a hard link',
      'read it by climbing',
      'read it through the root of a process',
      'read it with another program',
      'list its folder',
      'write into it',
      'empty it',
      'plant a file',
      'plant a folder',
      'plant a symbolic link',
      'move a file out',
      'read /sys',
      'connect to the machine',
      'connect to it over IPv6',
      'connect to it by an IPv4 address in IPv6',
      'connect to it by 0.0.0.0',
      'connect to it with the first bytes',
      "connect to the server's main port",
      'send a datagram',
      'connect to an abstract socket',
      'connect to a socket file',
      'read shared memory',
      'open a socket to device events',
      'compare its own descriptors',
    ],
  },
  {
    held: byUser,
    attempts: [
      'change its times',
      'limit the server',
      'slow the server down',
      'slow down all of its user',
      'pin the server to a processor',
      'change the mode of a file of the server',
      'list the data folder',
      'read the database',
      'read the first key',
      'read the operator token',
      'write into the data folder',
      'write into the compile cache',
      'poison the compile cache',
      "read the server's environment",
      "open the server's memory",
      "read the server's memory map",
      "look through the server's root",
      "list the server's descriptors",
      "enter the server's folder",
      'signal the server',
      'signal it through a descriptor',
      'trace the server',
      "read the server's memory across",
      "take a descriptor of the server's",
    ],
  },
  {
    // Kernels are built and set up differently.
    held: 'standard',
    uncertain: true,
    attempts: [
      'open a device',
      'connect to it over several paths',
      'open a socket to the hypervisor',
      "open a socket to the kernel's ciphers",
      'open a Bluetooth socket',
      'make a user namespace',
      'start a process in one',
      'start a process in one by clone3',
      'use BPF',
      'count events of the processor',
      'use a key ring',
      'use io_uring',
      'handle its own page faults',
      'have secret memory',
      'name a file by its handle',
      "read the kernel's log",
      'type into a terminal',
      'write into /dev/shm',
    ],
  },
  {
    held: 'none',
    attempts: [
      'read it through the root of pid 1',
      'read /etc/shadow',
      'list /root',
      'write into the runner',
      'change the runner',
      'write into /usr',
      'write into /etc',
      'leave its control group',
      'set a parameter of the kernel',
      'protect itself from want of memory',
      'make a device',
      "find the server's secret in the environment",
      'find it in the environment of pid 1',
      'inherit a descriptor',
      "join the server's namespaces",
      'open a packet socket',
      'open a raw socket',
      'make a network',
      'become root',
      'become a group of root',
      'mount something',
      'unmount something',
      'mount by the new interface',
      'change the root',
      'raise its own limit of open files',
      'put itself first',
    ],
  },
];

for (const place of places) {
  test(`a task tries to escape (${nameOf(place)})`, limit, async (t) => {
    const site = await startAt(t, place);
    if (site === undefined) return;
    const { server } = site;
    const canaries = await Canaries.putUp(server.scratch, site.owner);
    t.after(() => canaries.takeDown());
    const order: EscapeOrder = {
      ...canaries.targets,
      server: server.pid,
      serverPort: Number(new URL(server.url).port),
      data: server.dataDir,
      runner: path.resolve(binary, '../../../runner'),
      secret,
    };
    await deployTask(server, 'escape', code);
    const inputs = { ANCHOR_ORDER: JSON.stringify(order) };
    const found: Findings = await outputOf(server, 'escape', { inputs });
    assert.deepEqual(found.controls, [], 'what must work in any cage does');
    if (canaries.hits.includes('udp')) {
      delete found.held['send a datagram'];
      found.through.push('send a datagram');
    }
    assertOutcomes(place, rows, found);
    if (place.level !== 'none') {
      assert.deepEqual(canaries.hits, [], 'nothing reached a socket of the machine');
      assert.deepEqual(canaries.changes(), [], 'nothing became of files of the machine');
    }
    assert.equal((await server.request('GET', '/health')).status, 200);
  });
}
