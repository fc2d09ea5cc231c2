// Figures of repeated measurements, as a table for people and as JSON for programs.

export type Row = {
  name: string;
  /** The row that this one is compared with. */
  baseline?: string | undefined;
  /** Milliseconds, one a repeat. */
  times: number[];
};

type Figures = {
  name: string;
  repeats: number;
  min_ms: number;
  median_ms: number;
  p95_ms: number;
  baseline?: string;
  ratio?: number;
};

function quantile(times: number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}

const rounded = (value: number) => Number(value.toFixed(2));

function figuresOf(row: Row, rows: Row[]): Figures {
  const median = quantile(row.times, 0.5);
  const figures: Figures = {
    name: row.name,
    repeats: row.times.length,
    min_ms: rounded(Math.min(...row.times)),
    median_ms: rounded(median),
    p95_ms: rounded(quantile(row.times, 0.95)),
  };
  const baseline = rows.find((other) => other.name === row.baseline);
  if (baseline) {
    figures.baseline = baseline.name;
    figures.ratio = Number((median / quantile(baseline.times, 0.5)).toFixed(3));
  }
  return figures;
}

export function table(rows: Row[]): { text: string; json: Figures[] } {
  const json = rows.map((row) => figuresOf(row, rows));
  const lines = json.map((row) =>
    [
      row.name.padEnd(34),
      `${row.min_ms}`.padStart(9),
      `${row.median_ms}`.padStart(9),
      `${row.p95_ms}`.padStart(9),
      row.ratio === undefined ? '' : `  ${row.ratio} of "${row.baseline}"`,
    ].join(' '),
  );
  const head = `${'milliseconds'.padEnd(34)} ${'min'.padStart(9)} ${'median'.padStart(9)} ${'p95'.padStart(9)}`;
  return { text: [head, ...lines].join('\n'), json };
}
