// Another user than the one who runs the tests, for a server that is not root.
import { mkdirSync } from 'node:fs';
import path from 'node:path';

/** Of nobody on a Debian system: below are people's, above those that services ask for. */
export const ordinaryUser = 59_871;

/**
 * The command that becomes `program`, a binary of a checkout's, as that user. The checkout may lie
 * where the user has no way to, so it is also found at `place`, which only the program can see.
 * Each program on the way becomes the next one, so the process id stays the same.
 */
export function commandAs(user: number, program: string, place: string): [string, ...string[]] {
  const checkout = path.resolve(program, '../../..');
  mkdirSync(place, { recursive: true });
  const bind = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
  const ids = ['--reuid', `${user}`, '--regid', `${user}`, '--clear-groups'];
  return [
    ...['unshare', '--mount', 'sh', '-c', bind, 'sh', checkout, place],
    ...['setpriv', ...ids, '--pdeathsig', 'KILL', path.join(place, path.relative(checkout, program))],
  ] as [string, ...string[]];
}
