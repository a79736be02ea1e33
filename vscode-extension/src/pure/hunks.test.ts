// Tests where hunks stand and what a selection takes of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hunk, Range } from "../protocol";
import { hunkInWords, lineCount, linesOf, neighbour, onProposedSide, selectedLines, shifted } from "./hunks";

const range = (startLine: number, start: number, endLine: number, end: number): Range => ({
  start: { line: startLine, character: start },
  end: { line: endLine, character: end },
});

const hunk = (hunkId: string, at: Range, oldText: string, newText: string, more: Partial<Hunk> = {}): Hunk => ({
  hunkId,
  range: at,
  state: "pending",
  oldText,
  newText,
  ...more,
});

test("a last line without line ending counts", () => {
  assert.deepEqual(["", "a", "a\n", "a\nb", "\n\n"].map(lineCount), [0, 1, 1, 2, 2]);
});

test("a range that ends at the start of a line does not touch that line", () => {
  assert.deepEqual(linesOf(range(1, 0, 3, 0)), { start: 1, end: 3 });
  assert.deepEqual(linesOf(range(1, 0, 3, 2)), { start: 1, end: 4 });
  assert.deepEqual(linesOf(range(0, 0, 0, 0)), { start: 0, end: 1 });
});

test("hunks stand lower on the proposed side by what comes above them", () => {
  const places = onProposedSide([
    hunk("last", range(8, 0, 9, 0), "i\n", "I\n"),
    hunk("replace", range(1, 0, 2, 0), "b\n", "B\nBB\nBBB\n"),
    hunk("insert", range(4, 0, 5, 0), "", "new\n"),
    hunk("stale", range(6, 0, 7, 0), "x\n", "Y\nY\n", { state: "stale" }),
  ]);
  assert.deepEqual(Object.fromEntries(places), {
    replace: { start: 1, end: 4 },
    insert: { start: 7, end: 8 },
    stale: { start: 9, end: 10 },
    last: { start: 11, end: 12 },
  });
});

test("lines put in at the start of a file stand at its start", () => {
  assert.deepEqual(onProposedSide([hunk("h", range(0, 0, 0, 0), "", "new\nfile\n")]).get("h"), { start: 0, end: 2 });
});

test("a selection takes whole lines, and all of them is the hunk", () => {
  const three = hunk("h", range(1, 0, 2, 0), "b\n", "B\nC\nD\n");
  const place = { start: 1, end: 4 };
  assert.deepEqual(selectedLines(three, place, { start: 2, end: 3 }), { new: [1, 2] });
  assert.equal(selectedLines(three, place, { start: 0, end: 9 }), "all");
  assert.equal(selectedLines(three, place, { start: 4, end: 9 }), undefined);
});

test("lines that replace each other one by one go together", () => {
  const two = hunk("h", range(0, 0, 2, 0), "a\nb\n", "A\nB\n");
  assert.deepEqual(selectedLines(two, { start: 0, end: 2 }, { start: 1, end: 2 }), { old: [1, 2], new: [1, 2] });
});

test("a range follows what is typed above, and not what is typed behind", () => {
  const at = range(3, 0, 4, 0);
  assert.deepEqual(shifted(at, { range: range(0, 0, 0, 0), text: "x\ny\n" }), range(5, 0, 6, 0));
  assert.deepEqual(shifted(at, { range: range(1, 0, 2, 0), text: "" }), range(2, 0, 3, 0));
  assert.deepEqual(shifted(at, { range: range(4, 0, 4, 0), text: "z\n" }), at);
  assert.deepEqual(shifted(at, { range: range(3, 1, 3, 1), text: "mid\n" }), range(3, 0, 5, 0));
});

test("behind the last hunk comes the first", () => {
  const places = [{ lines: { start: 5, end: 6 } }, { lines: { start: 1, end: 3 } }];
  assert.equal(neighbour(places, 1, 1), places[0]);
  assert.equal(neighbour(places, 5, 1), places[1]);
  assert.equal(neighbour(places, 5, -1), places[1]);
  assert.equal(neighbour(places, 1, -1), places[0]);
  assert.equal(neighbour<(typeof places)[number]>([], 1, 1), undefined);
});

test("a hunk is told in words", () => {
  assert.equal(hunkInWords(hunk("h", range(0, 0, 1, 0), "a\n", "b\nc\n")), "1 line → 2 lines");
  assert.equal(hunkInWords(hunk("h", range(0, 0, 1, 0), "", "b\n")), "+ 1 line after this line");
  assert.equal(hunkInWords(hunk("h", range(0, 0, 1, 0), "a\n", "")), "− 1 line");
  const stale = hunk("h", range(0, 0, 1, 0), "a\n", "b\n", { state: "stale", reason: "its lines changed" });
  assert.equal(hunkInWords(stale), "stale: its lines changed");
});
