// Where the suites of this folder run: each level of isolation, with a server that is root and one
// that is an ordinary user. Every test asks for its place and is told what that place has.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { ordinaryUser } from '../support/other_user.ts';
import { type Server, type ServerOptions, startServer } from '../support/server.ts';
import { quiet, type Settings } from '../support/settings.ts';

export type Level = 'strict' | 'standard' | 'none';
export type Owner = 'root' | 'an ordinary user';
export type Place = { level: Level; owner: Owner };
export type Bound = 'cgroup' | 'rlimit' | 'none';
type Isolation = { level: Level; reasons: string[]; limits: { memory: Bound; processes: Bound } };

const ourId = process.getuid?.() ?? 0;
const isRoot = ourId === 0;
const levels: Level[] = ['strict', 'standard', 'none'];
const owners: Owner[] = ['root', 'an ordinary user'];

export const places: Place[] = owners.flatMap((owner) => levels.map((level) => ({ level, owner })));

export const nameOf = ({ level, owner }: Place): string => `${level}, as ${owner}`;

export type Site = {
  server: Server;
  /** The user id of the server. */
  owner: number;
  task: Isolation;
  browser: Isolation;
  /** Of a second team, which owns nothing of the first one's. */
  otherKey: string;
};

/**
 * A server at that place, or nothing, with the test skipped for a reason that is told, when this
 * machine can't have one. It is stopped, and nothing of it is left, when the test ends.
 */
export async function startAt(
  t: TestContext,
  place: Place,
  settings: Settings = {},
  options: ServerOptions = {},
): Promise<Site | undefined> {
  const missing = whatIsMissingFor(place);
  if (missing !== undefined) {
    t.skip(missing);
    return undefined;
  }
  const { level, owner } = place;
  const isolation = { maximum: level, minimum: level };
  const user = owner !== 'root' && isRoot ? ordinaryUser : undefined;
  const server = await startServer({
    ...options,
    config: quiet({ ...settings, isolation }),
    env: { MACHINE_SECRET: secret },
    ...(user === undefined ? {} : { user }),
  });
  t.after(() => server.stop());
  const { task, browser } = (await server.request('GET', '/health')).body.isolation;
  for (const claimed of [task, browser]) {
    assert.equal(claimed.level, level, `the server claims it; ${claimed.reasons.join('; ')}`);
  }
  const otherKey = await server.createKey('strangers');
  return { server, owner: user ?? ourId, task, browser, otherKey };
}

/** Stands in the server's environment and nowhere else. */
export const secret = 'a-secret-of-the-server-itself';

/**
 * Asked of the machine and not of the server, so that one that finds less than there is fails its
 * tests and isn't excused from them.
 */
function whatIsMissingFor({ level, owner }: Place): string | undefined {
  if (owner === 'root' && !isRoot) return 'only root can start a server as root';
  if (level === 'strict' && !hasNamespaces(owner)) return 'this machine has no namespaces for us';
  if (level === 'standard' && landlockVersion() < 6) return 'Landlock is older than of Linux 6.12';
  return undefined;
}

function hasNamespaces(owner: Owner): boolean {
  const flags = ['--user', '--map-root-user', '--pid', '--fork', '--net', '--mount-proc', 'true'];
  const isSwitched = owner !== 'root' && isRoot;
  const ids = ['--reuid', `${ordinaryUser}`, '--regid', `${ordinaryUser}`, '--clear-groups'];
  const [program = '', ...words] = isSwitched
    ? ['setpriv', ...ids, 'unshare', ...flags]
    : ['unshare', ...flags];
  return spawnSync(program, words).status === 0;
}

/** The number by which the kernel says what its Landlock can do; 0 where there is none. */
function landlockVersion(): number {
  const ask = 'my $version = syscall(444, 0, 0, 1); exit($version < 0 ? 0 : $version)';
  return spawnSync('perl', ['-e', ask]).status ?? 0;
}
