// Tells code from comments and strings in C++ and TypeScript, so that a rule about code does not
// stumble over prose, nor one about prose over code. It knows only as much as that needs.

/** One line of a source file. */
export type SourceLine = {
  /** The line without its comments. */
  text: string;
  /** The same, with what stands between quotes left out. */
  code: string;
  /** Its comment, with the marks that open and close it. */
  comment: string;
};

export function linesOf(source: string): SourceLine[] {
  const lines: SourceLine[] = [{ text: '', code: '', comment: '' }];
  for (const [kind, piece] of piecesOf(source)) {
    for (const [index, part] of piece.split('\n').entries()) {
      if (index > 0) lines.push({ text: '', code: '', comment: '' });
      const line = lines[lines.length - 1]!;
      if (kind === 'comment') line.comment += part;
      else line.text += part;
      if (kind === 'code') line.code += part;
      if (kind === 'string' && part !== '') line.code += '""';
    }
  }
  return lines;
}

type Kind = 'code' | 'comment' | 'string';

const valueBegins = /(?<=(?:^|[(,=:[!&|?{};>\n]|\breturn)\s*)/;
const regularExpression = /\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//;

// In this order: what opens first is tried first.
const patterns: [Kind, RegExp][] = [
  ['comment', /\/\/[^\n]*/y],
  ['comment', /\/\*[^]*?(?:\*\/|$)/y],
  ['string', /R"([^(\s]*)\([^]*?\)\1"/y],
  ['string', /"(?:[^"\\\n]|\\[^])*"?/y],
  ['string', /`(?:[^`\\]|\\[^])*`?/y],
  ['string', /(?<![0-9A-Za-z_])'(?:[^'\\\n]|\\[^])*'?/y],
  ['string', new RegExp(valueBegins.source + regularExpression.source, 'y')],
  ['code', /[0-9A-Za-z_]+|[^]/y],
];

function* piecesOf(source: string): Generator<[Kind, string]> {
  for (let position = 0; position < source.length; ) {
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = position;
      const match = pattern.exec(source);
      if (match === null) continue;
      yield [kind, match[0]];
      position += match[0].length;
      break;
    }
  }
}
