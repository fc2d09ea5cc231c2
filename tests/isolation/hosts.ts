// The ways to write down where nobody may go, as they stand in an address.
import type { Zone } from './name_server.ts';
import { metadata, neighbour, neighbour6 } from './own_network.ts';
import { ownPublicAddress, publicAddresses } from './own_network.ts';

const [publicAddress = '', publicAddress6 = ''] = publicAddresses;

/** The name of the public site; below localhost it counts as trustworthy, and may do more. */
export const publicName = 'public.test';
export const trustedName = 'site.localhost';
/** Of names that only who looks them up by himself asks for. */
export const leakedZone = 'leaked.test';
/** Of names that are public when they are first looked up, and the neighbour's from then on. */
export const rebindingZone = 'rebinds.test';

export const zone: Zone = {
  [publicName]: publicAddresses,
  [trustedName]: [publicAddress],
  [`*.${leakedZone}`]: [neighbour],
  [`*.${rebindingZone}`]: (asked) => [asked === 0 ? publicAddress : neighbour],
  'loopback.test': ['127.0.0.1'],
  'loopback6.test': ['::1'],
  'intranet.test': [neighbour],
  'intranet6.test': [neighbour6],
  'metadata.test': [metadata],
  'mapped.test': ['::ffff:a01:203'],
  'own.test': [ownPublicAddress],
  'half.test': [publicAddress, neighbour],
  'other-half.test': [neighbour, publicAddress],
  'half-of-the-other-kind.test': [publicAddress6, neighbour],
  'half6.test': [publicAddress, neighbour6],
  [`${neighbour}.test`]: [neighbour],
  'below.localhost': ['127.0.0.1'],
};

const ofLoopback = [
  ...['127.0.0.1', '127.0.0.1.', '127.1', '127.0.1', '127.255.255.254', '0.0.0.0', '0'],
  ...['2130706433', '0x7f000001', '0x7f.1', '0x7F.0x0.0x0.0x1', '017700000001', '0177.0.0.01'],
  ...['127.0x0.0.1', '00000177.0.0.1', '%31%32%37.0.0.1'],
  ...['127。0。0。1', '１２７.0.0.1', '①②⑦.0.0.1'],
  ...['localhost', 'localhost.', 'LOCALHOST', 'below.localhost', 'loopback.test', 'loopback6.test'],
  ...['[::1]', '[0:0:0:0:0:0:0:1]', '[::0001]', '[::]', '[::127.0.0.1]', '[::7f00:1]'],
  ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:7f00:1]', '[64:ff9b::7f00:1]'],
  ...['[64:ff9b::127.0.0.1]', '[2002:7f00:1::]', '[64:ff9b:1::7f00:1]'],
];
const ofNeighbours = [
  ...['10.1.2.3', '10.1.2.3.', '10.66051', '10.1.515', '167838211', '0xa010203', '0xa.1.0x2.3'],
  ...['012.1.2.3', '01200201003', '[::ffff:10.1.2.3]', '[::ffff:a01:203]', '[64:ff9b::a01:203]'],
  ...['[2002:a01:203::1]', '[::a01:203]', '[fd00::1]', '[fd00:0:0:0::0001]'],
  ...['172.16.0.1', '192.168.0.1', '100.64.0.1', '198.18.0.1', '192.0.2.1', ownPublicAddress],
  ...['intranet.test', 'intranet.test.', 'INTRANET.test', 'intranet', 'intranet6.test', 'own.test'],
  ...['half.test', 'other-half.test', 'half-of-the-other-kind.test', 'half6.test', 'mapped.test'],
  ...['of-hosts.test', `${neighbour}.test`],
];
const ofMetadata = [
  ...['169.254.169.254', '169.254.43518', '2852039166', '0xa9fea9fe', '0xa9.0xfe.0xa9.0xfe'],
  ...['0251.0376.0251.0376', '025177524776', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]'],
  ...['[64:ff9b::a9fe:a9fe]', '[fd00:ec2::254]', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
  'metadata.test',
];

export const hosts = [...ofLoopback, ...ofNeighbours, ...ofMetadata];

/** One of each kind, for what is tried in many ways: an address, one far away, and a name. */
export const fewHosts = ['127.0.0.1', metadata, 'intranet.test'];