// The plan of the house: the rooms of src/, the floors they lie on, and what each says it uses.
import { textOf } from './checkout.ts';

/** The floor of each room, as drawn in ARCHITECTURE.md. */
export const floors = new Map([
  ['base', 1],
  ['io', 2],
  ['store', 3],
  ['http', 3],
  ['cdp', 3],
  ['cage', 3],
  ['access', 4],
  ['egress', 4],
  ['display', 4],
  ['browser', 5],
  ['session', 6],
  ['task', 7],
  ['api', 8],
  ['app', 9],
  // Programs of their own, which run inside cages.
  ['launcher', 2],
  ['escape', 2],
]);

export type Room = { name: string; uses: string[]; line: number };

/** The lines `room(NAME USES LOWER...)` of CMakeLists.txt, and `program(NAME)`: a room that uses none. */
export function roomsOf(root: string): Room[] {
  const text = textOf(root, 'CMakeLists.txt').replace(/#.*/g, '');
  return [...text.matchAll(/^[ \t]*(?:room|program)\(\s*(\w+)\s*(?:USES\s+([\w\s]*))?\)/gm)].map((match) => ({
    name: match[1]!,
    uses: (match[2] ?? '').split(/\s+/).filter((name) => name !== ''),
    line: text.slice(0, match.index).split('\n').length,
  }));
}
