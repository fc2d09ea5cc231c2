// A network of the test's own, in which every address is at hand: whatever is dialled, in whatever
// way it was written, reaches this network's listeners and nothing else. Nothing leaves it.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';

/** What a cage may reach: the one place of the public internet here. */
export const publicAddresses = ['93.184.216.34', '2606:2800:220:1::34'];
/** As public as that, but of the machine that the server runs on. */
export const ownPublicAddress = '93.184.216.99';
/** A neighbour of the server's, from which it also talks to everybody else. */
export const neighbour = '10.1.2.3';
export const neighbour6 = 'fd00::1';
export const metadata = '169.254.169.254';

const isInside = 'CAPSTAN_TEST_NETWORK';

// Routes name a source, without which every address would count as the machine's own.
const setUp = `set -e
ip link set lo up
for address in ${[neighbour, metadata, ownPublicAddress].map((each) => `${each}/32`).join(' ')}; do
  ip address add $address dev lo
done
ip -6 address add ${neighbour6}/128 dev lo nodad
ip route add local default dev lo src ${neighbour} table local
ip -6 route add local default dev lo src ${neighbour6} table local
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
mount -t tmpfs none /mnt
cd /mnt
echo 'nameserver 127.0.0.1
search test' >resolv.conf
echo 'hosts: files dns' >nsswitch.conf
echo '127.0.0.1 localhost
::1 localhost
${neighbour} of-hosts.test' >hosts
for file in *; do mount --bind $file /etc/$file; done
cd "$1"
shift
exec "$@"`;

/**
 * Call it before anything else: the program begins anew in such a network. As root it stays root;
 * an ordinary user is that user there.
 */
export function enterOwnNetwork(): void {
  if (process.env[isInside] === undefined) {
    const user = process.getuid?.() ?? 0;
    const group = process.getgid?.() ?? 0;
    const asRoot = user === 0 ? [] : ['--user', '--map-root-user'];
    const asUser = ['unshare', '--user', `--map-user=${user}`, `--map-group=${group}`];
    const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const setting = ['--net', '--mount', 'sh', '-c', setUp, 'sh', process.cwd()];
    const words = [...asRoot, ...setting];
    const inside = { ...process.env, [isInside]: 'yes' };
    process.execve?.(
      '/usr/bin/unshare',
      ['unshare', ...words, ...(user === 0 ? [] : asUser), ...program],
      inside,
    );
  }
  assert.deepEqual(Object.keys(networkInterfaces()), ['lo'], 'nothing leads out of this network');
}
