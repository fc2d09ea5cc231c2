// Takes turns: every round measures each bench once, so that a noisy machine is noisy for all.
import type { Row } from './table.ts';

export type Bench = {
  name: string;
  /** The one that it is compared with. */
  baseline?: string;
  /** Of the figures, when they are no milliseconds. */
  unit?: string;
  /** A long one takes part in every so many rounds only. */
  every?: number;
  /** Does it once. What it returns is the figure; without that, the milliseconds that it took. */
  once: () => Promise<number | void>;
};

/** Benches that have what they measure in common. */
export type Group = {
  benches: Bench[];
  start: () => Promise<void>;
  /** Waits until nothing is under way any more that would take part in the next figure. */
  settle: () => Promise<unknown>;
  stop: () => Promise<void>;
};

/** Measures those benches whose name has `wanted` in it, and starts no group without one. */
export async function measure(groups: Group[], rounds: number, wanted: string): Promise<Row[]> {
  const isWanted = ({ name }: Bench) => name.includes(wanted);
  const used = groups.filter(({ benches }) => benches.some(isWanted));
  const benches = used.flatMap((group) => group.benches.filter(isWanted));
  if (benches.length === 0) throw new Error(`no bench has "${wanted}" in its name`);
  const rows = new Map(benches.map((bench) => [bench, { ...bench, figures: [] as number[] }]));
  const started: Group[] = [];
  try {
    for (const group of used) {
      await group.start();
      started.push(group);
    }
    for (let round = 0; round < rounds; ++round) {
      // There and back, so that none always follows the same one.
      for (const bench of round % 2 === 0 ? benches : benches.toReversed()) {
        if (round % (bench.every ?? 1) !== 0) continue;
        for (const group of used) await group.settle();
        const begin = performance.now();
        const figure = await bench.once();
        rows.get(bench)!.figures.push(figure ?? performance.now() - begin);
      }
      process.stderr.write(`round ${round + 1} of ${rounds}\r`);
    }
  } finally {
    for (const group of started) await group.stop();
  }
  return [...rows.values()];
}
