// What should not be left behind: debug prints, to-dos without a kind, commented-out code; and
// Beast where it does not belong, since a file that includes it compiles for a quarter of a minute.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkoutOf, filesOf, here, mustBeClean, mustFind, textOf } from './checkout.ts';
import type { Finding } from './checkout.ts';
import { linesOf } from './source.ts';
import type { SourceLine } from './source.ts';

/** A finding for each line of the matching source files of which `breaks` says so. */
function search(
  root: string,
  files: RegExp,
  breaks: (line: SourceLine, file: string) => boolean,
  rule: string,
  instead: string,
): Finding[] {
  return filesOf(root, files).flatMap((file) =>
    linesOf(textOf(root, file)).flatMap((line, index) =>
      breaks(line, file) ? [{ file, line: index + 1, rule, instead }] : [],
    ),
  );
}

const ownSource = /^(src|tests|runner|live|bench|examples)\/.*\.(h|cpp|ts|mjs)$/;

export function serverPrintsByItsLog(root: string): Finding[] {
  // The log writes, a broken CHECK says its last words, and app talks to the one who starts it.
  const mayPrint = /^src\/(base\/(log|check)\.|app\/)/;
  const print = /\bstd::(cout|cerr|clog)\b|\b(f|d|v|vf)?printf\s*\(|\b(f?puts|perror)\s*\(/;
  return search(
    root,
    /^src\/.*\.(h|cpp)$/,
    ({ code }, file) => print.test(code) && !mayPrint.test(file),
    'debug print',
    'use log_info and its like from base/log.h',
  );
}

export function scriptsPrintNoDebugLines(root: string): Finding[] {
  return search(
    root,
    /^(runner\/src|live\/src|tests\/house)\/.*\.ts$/,
    ({ code }) => /\bconsole\.(log|debug|dir|trace)\s*\(|\bdebugger\b/.test(code),
    'debug print',
    'drop it; the runner speaks in frames, the live page in its log, a test in assertions',
  );
}

export function todosHaveAKind(root: string): Finding[] {
  return search(
    root,
    ownSource,
    ({ comment }) =>
      /\b(TODO|FIXME|XXX)\b/.test(comment) &&
      !/\bTODO\((perf|security|api|test)\): \S+ \S+/.test(comment),
    'TODO without kind and sentence',
    'write TODO(perf|security|api|test): what is to be done',
  );
}

// Shapes that prose does not have. A comment indented by more than one blank is an example of use.
const codeShapes = [
  /^#\s*(include|define|if|ifdef|ifndef|elif|else|endif|undef)\b/,
  /^(\} else )?(if|for|while|switch|catch) \(.*\) \{$/,
  /^(else|try|do) \{$|^\}( else \{)?[;,)]*$/,
  /^(return|co_return|throw|await|co_await|delete)\b[^ ;]*( [^ ;]*[^\w ;'"-][^ ;]*)* ?[^ ;]*;$/,
  /^(auto|const|constexpr|let|var|using|static)\b.*[=({].*;$/,
  /^(import|export)\b.*['"}];$/,
  /^[\w:<>*&, ]*[\w>*&] [\w.:[\]]+ = .*;$|^[\w.:[\]]+(->[\w.]+)* [-+|&]?= .*;$/,
  /^[\w:]+((\.|->|::)\w+)*(<[\w:, ]+>)?\(.*\);$/,
  /^\w+::[\w:<>*&, ]+ \w+;$/,
];

function isCommentedOut({ comment }: SourceLine): boolean {
  const text = /^(?:\/\/|\/\*) ?(\S.*?)(?:\s*\*\/)?$/.exec(comment)?.[1];
  return text !== undefined && codeShapes.some((shape) => shape.test(text));
}

export function noCodeIsCommentedOut(root: string): Finding[] {
  return search(
    root,
    ownSource,
    (line) => isCommentedOut(line) || /^\s*#\s*if\s+0\b/.test(line.code),
    'commented-out code',
    'delete it; Git remembers',
  );
}

export function beastStaysInItsFiles(root: string): Finding[] {
  const homes = ['http/connection', 'io/websocket', 'io/http_client', 'io/boost'];
  return search(
    root,
    /^(src|tests)\/.*\.(h|cpp)$/,
    ({ code }, file) =>
      /^\s*#\s*include\s*<boost\/beast\b/.test(code) &&
      !homes.some((home) => file === `src/${home}.cpp`),
    'Beast is included',
    `keep it behind ${homes.join('.cpp, ')}.cpp`,
  );
}

const rules = [
  serverPrintsByItsLog,
  scriptsPrintNoDebugLines,
  todosHaveAKind,
  noCodeIsCommentedOut,
  beastStaysInItsFiles,
];
for (const rule of rules) {
  test(`this checkout: ${rule.name}`, () => mustBeClean(rule(here)));
}

test('debug prints are found in code, not in comments, in strings or where they may be', (t) => {
  const root = checkoutOf(t, {
    'src/base/log.cpp': 'std::cerr << line;\n',
    'src/app/main.cpp': 'std::cout << address;\n',
    'src/io/event.cpp': [
      '// std::cerr is not for us',
      'std::snprintf(buffer, 8, "printf(");',
      'std::cerr << "here";',
      'printf("here");',
    ].join('\n'),
    'runner/src/main.ts': "const a = 'console.log(';\nconsole.log(a);\nconsole.error = write;\n",
  });
  mustFind(serverPrintsByItsLog(root), [
    'src/io/event.cpp:3: debug print',
    'src/io/event.cpp:4: debug print',
  ]);
  mustFind(scriptsPrintNoDebugLines(root), ['runner/src/main.ts:2: debug print']);
});

test('a TODO needs a kind and a sentence', (t) => {
  const root = checkoutOf(t, {
    'src/io/event.h': [
      '// TODO(perf): wake all waiters at once.',
      '// TODO wake them',
      'int todo = 1;  // TODO(later): wake them',
      '/* TODO(perf): */',
      '// FIXME: wake them',
      'const char* word = "TODO";',
    ].join('\n'),
  });
  mustFind(todosHaveAKind(root), [
    'src/io/event.h:2: TODO without kind',
    'src/io/event.h:3: TODO without kind',
    'src/io/event.h:4: TODO without kind',
    'src/io/event.h:5: TODO without kind',
  ]);
});

test('commented-out code is found', (t) => {
  const lines = [
    '// #include <vector>',
    '// if (ready_) {',
    '//   ready_.set();',
    '// }',
    '//return scope_.close();',
    '// co_await timer.wait(5ms);',
    '// return;',
    '// auto now = clock_.now();',
    '// count += 1;',
    '// limits_.closing = 5s;',
    '// std::string name = call.path("name");',
    '// log_info("ready");',
    '// browser_->close(reason);',
    '// std::string name;',
    "// import { test } from 'node:test';",
    'int a;  // int b = a * 2;',
    '/* launcher_.launch(config_); */',
    '#if 0',
  ];
  const root = checkoutOf(t, { 'src/io/event.cpp': lines.join('\n') });
  const expected = lines
    .map((_, index) => `src/io/event.cpp:${index + 1}: commented-out code`)
    .filter((_, index) => index !== 2);
  mustFind(noCodeIsCommentedOut(root), expected);
});

test('prose and examples in comments are not code', () => {
  const lines = [
    '// Waits until the event is set (or the deadline has passed);',
    '// the scope ends first; then its owner does;',
    '// return it to the pool when done;',
    '// for (id, attempt) see the run queue',
    '// if (and only if) the row is ended',
    '// Example:',
    '//   Scope scope(executor);',
    '//   scope.spawn(work());',
    '// see outcome_of(), within() and first_of()',
    '// const, because nobody writes it',
    '// {"error": {"code": 404}}',
    '// POST /v1/task/run/{name}',
    '// namespace capstan',
    '// delete what is left;',
    '// a = 1 means on',
    '/// Sets `ready_`, then wakes all.',
  ];
  for (const line of lines) {
    assert.equal(isCommentedOut({ text: '', code: '', comment: line }), false, line);
  }
});

test('Beast outside its files is found', (t) => {
  const root = checkoutOf(t, {
    'src/io/websocket.cpp': '#include <boost/beast/websocket.hpp>\n',
    'src/io/websocket.h': '// no <boost/beast.hpp> here\n#include <boost/beast/core.hpp>\n',
    'src/api/gate.cpp': '#include <vector>\n#include <boost/beast.hpp>\n',
  });
  mustFind(beastStaysInItsFiles(root), [
    'src/api/gate.cpp:2: Beast is included',
    'src/io/websocket.h:2: Beast is included',
  ]);
});
