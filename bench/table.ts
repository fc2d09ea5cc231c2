// Figures of repeated measurements, as a table for people and as JSON for programs.

export type Row = {
  name: string;
  /** The row that this one is compared with. */
  baseline?: string;
  /** Of the figures; "ms" if it isn't said. */
  unit?: string;
  /** One a repeat. */
  figures: number[];
};

type Summary = {
  name: string;
  unit: string;
  repeats: number;
  min: number;
  median: number;
  p95: number;
  baseline?: string;
  /** Of the medians. */
  ratio?: number;
  /** The median of the differences, each within one round. */
  over?: number;
};

function quantile(figures: number[], part: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}

const rounded = (value: number) => Number(value.toFixed(2));

function summaryOf(row: Row, rows: Row[]): Summary {
  const { figures } = row;
  const summary: Summary = {
    name: row.name,
    unit: row.unit ?? 'ms',
    repeats: figures.length,
    min: rounded(Math.min(...figures)),
    median: rounded(quantile(figures, 0.5)),
    p95: rounded(quantile(figures, 0.95)),
  };
  const baseline = rows.find((other) => other.name === row.baseline);
  if (baseline) {
    const differences = figures.map((figure, round) => figure - baseline.figures[round]!);
    summary.baseline = baseline.name;
    summary.ratio = Number((quantile(figures, 0.5) / quantile(baseline.figures, 0.5)).toFixed(3));
    summary.over = rounded(quantile(differences, 0.5));
  }
  return summary;
}

function columns(name: string, figures: unknown[], rest: string): string {
  return [name.padEnd(34), ...figures.map((figure) => `${figure}`.padStart(9)), rest].join(' ');
}

function lineOf({ name, unit, min, median, p95, baseline, ratio, over }: Summary): string {
  const sign = over !== undefined && over >= 0 ? '+' : '';
  const comparison = baseline ? `  ${ratio} of "${baseline}" (${sign}${over})` : '';
  return columns(name, [min, median, p95], ` ${unit}${comparison}`);
}

export function table(rows: Row[]): { text: string; json: Summary[] } {
  const json = rows.map((row) => summaryOf(row, rows));
  const head = columns('', ['min', 'median', 'p95'], '').trimEnd();
  return { text: [head, ...json.map(lineOf)].join('\n'), json };
}
