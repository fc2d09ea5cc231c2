// What is to come of attempts to escape: each is held from some level on, and gets through below.
import assert from 'node:assert/strict';
import { type Level, nameOf, type Owner, type Place } from './places.ts';

/**
 * The lowest level at which an attempt is held, with either owner or with each. An attempt that is
 * `uncertain` below that level gets through on some machines and not on others.
 */
export type HeldFrom = Level | Record<Owner, Level>;
export type Row = { held: HeldFrom; uncertain?: boolean; attempts: string[] };

/** Of held attempts also how they were. */
export type Outcomes = { through: string[]; held: Record<string, string> };

const rank: Record<Level, number> = { none: 0, standard: 1, strict: 2 };

/** Fails, and tells of each attempt that came out otherwise than `rows` say, or isn't in them. */
export function assertOutcomes(
  place: Place,
  rows: Row[],
  outcomes: Outcomes,
): void {
  const wrong: string[] = [];
  const tell = (name: string, what: string) => wrong.push(`${name}: ${what}`);
  for (const name of outcomes.through) {
    const row = rowOf(rows, name);
    if (row === undefined) tell(name, 'got through, and nothing is known of it');
    else if (isHeldAt(place, row)) tell(name, `got through, though ${levelOf(place, row)} holds it`);
  }
  for (const [name, how] of Object.entries(outcomes.held)) {
    const row = rowOf(rows, name);
    if (row === undefined) tell(name, `was held (${how}), and nothing is known of it`);
    else if (!isHeldAt(place, row) && !row.uncertain) tell(name, `is held by now (${how})`);
  }
  const tried = new Set([...outcomes.through, ...Object.keys(outcomes.held)]);
  for (const name of rows.flatMap((row) => row.attempts)) {
    if (!tried.has(name)) tell(name, 'was not tried');
  }
  assert.deepEqual(wrong, [], `${nameOf(place)}:\n${wrong.join('\n')}`);
}

function rowOf(rows: Row[], name: string): Row | undefined {
  return rows.find(({ attempts }) => attempts.includes(name));
}

function levelOf({ owner }: Place, { held }: Row): Level {
  return typeof held === 'string' ? held : held[owner];
}

function isHeldAt(place: Place, row: Row): boolean {
  return rank[place.level] >= rank[levelOf(place, row)];
}
