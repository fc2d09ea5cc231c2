// What Capstan costs, beside what it replaces or adds to. Read the ratios of one run, and the
// milliseconds with care. docs/performance.md says what is measured.
//
//   ./dev bench [--repeats 30] [--json FILE] [--only NAME]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cages } from './cages.ts';
import { gateway } from './gateway.ts';
import { measure } from './measure.ts';
import { runs } from './runs.ts';
import { shown } from './shown.ts';
import { table } from './table.ts';

const { values: options } = parseArgs({
  options: {
    repeats: { type: 'string', default: '30' },
    json: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});

const groups = [runs(), cages(), gateway(), shown()];
const { text, json } = table(await measure(groups, Number(options.repeats), options.only));
console.log(text);
console.log(JSON.stringify(json));
if (options.json) writeFileSync(options.json, `${JSON.stringify(json, null, 2)}\n`);
