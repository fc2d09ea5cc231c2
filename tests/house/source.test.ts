import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesOf } from './source.ts';

const codeOf = (source: string) => linesOf(source).map((line) => line.code.trimEnd());
const commentsOf = (source: string) => linesOf(source).map((line) => line.comment);

test('comments are told from code, on one line and over several', () => {
  assert.deepEqual(codeOf('int a;  // one\nint b; /* two\nthree */ int c;'), [
    'int a;',
    'int b;',
    ' int c;',
  ]);
  assert.deepEqual(commentsOf('int a;  // one\nint b; /* two\nthree */ int c;'), [
    '// one',
    '/* two',
    'three */',
  ]);
});

test('what stands in quotes is neither code nor comment', () => {
  assert.deepEqual(codeOf('f("http://x", \'"\', 1);'), ['f("", "", 1);']);
  assert.deepEqual(codeOf('f("\\"// still quoted", 2);'), ['f("", 2);']);
  assert.deepEqual(codeOf('f(R"x(// )" still)x", 3);'), ['f("", 3);']);
  assert.deepEqual(commentsOf('f(`\n// quoted\n`);  // free'), ['', '', '// free']);
});

test('digit separators, divisions and regular expressions open no quotes', () => {
  assert.deepEqual(codeOf("int n = 1'000'000;  // many"), ["int n = 1'000'000;"]);
  assert.deepEqual(codeOf('let n = a / b;  // c / d'), ['let n = a / b;']);
  assert.deepEqual(commentsOf('const r = /[`"\'/]\\//;  // a pattern'), ['// a pattern']);
});

test('the text keeps what the code leaves out', () => {
  assert.equal(linesOf('#include "io/async.h"  // waits')[0]?.text, '#include "io/async.h"  ');
});
