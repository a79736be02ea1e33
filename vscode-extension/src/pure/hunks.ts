// Where hunks stand in a text, in the file and on the proposed side, and what of them a selection takes.
import type { Hunk, LineSelector, Position, Range } from "../protocol";

/** Lines of a text, counted from 0; `end` is not included. */
export interface Lines {
  start: number;
  end: number;
}

/** A change of a document, as editors tell it: `range` in the text before, `text` in its place. */
export interface TextChange {
  range: Range;
  text: string;
}

/** Returns how many lines a hunk's side has; the last may lack its line ending. */
export function lineCount(text: string): number {
  return text === "" ? 0 : text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

/** Returns the lines that a range touches; an empty range touches the line it is on. */
export function linesOf({ start, end }: Range): Lines {
  const last = end.character === 0 && end.line > start.line ? end.line : end.line + 1;
  return { start: start.line, end: last };
}

/** Tells whether the hunk waits for a decision. */
export function isUndecided({ state }: Hunk): boolean {
  return state === "pending" || state === "stale" || state === "applied";
}

/** Tells whether the hunk takes nothing away. */
export function isInsertion(hunk: Hunk): boolean {
  return hunk.oldText === "";
}

/** Returns where each hunk stands in what the file would be; pending ones with their new lines. */
export function onProposedSide(hunks: readonly Hunk[]): Map<string, Lines> {
  const places = new Map<string, Lines>();
  const ordered = [...hunks].sort((a, b) => a.range.start.line - b.range.start.line);
  let added = 0;
  for (const hunk of ordered) {
    const here = linesOf(hunk.range);
    if (hunk.state !== "pending") {
      places.set(hunk.hunkId, { start: here.start + added, end: here.end + added });
      continue;
    }
    const isEmpty = samePosition(hunk.range.start, hunk.range.end);
    const start = added + (isInsertion(hunk) && !isEmpty ? here.end : here.start);
    const count = lineCount(hunk.newText);
    places.set(hunk.hunkId, { start, end: start + count });
    added += count - lineCount(hunk.oldText);
  }
  return places;
}

/**
 * Returns which lines of a hunk a selection on the proposed side takes, or "all" if that is every new line, or undefined
 * if it takes none. Old lines go with new ones of the same number when both sides have as many lines.
 */
export function selectedLines(hunk: Hunk, place: Lines, selection: Lines): LineSelector | "all" | undefined {
  const from = Math.max(selection.start, place.start) - place.start;
  const to = Math.min(selection.end, place.end) - place.start;
  const count = lineCount(hunk.newText);
  if (from >= to) {
    return undefined;
  }
  if (from === 0 && to === count) {
    return "all";
  }
  const lines: [number, number] = [from, to];
  return lineCount(hunk.oldText) === count ? { old: lines, new: lines } : { new: lines };
}

/** Returns the range after a change elsewhere in the document; a change inside stretches or shrinks it. */
export function shifted(range: Range, change: TextChange): Range {
  const inserted = change.text.split("\n");
  const tail = inserted.at(-1) ?? "";
  const end: Position =
    inserted.length === 1
      ? { line: change.range.start.line, character: change.range.start.character + tail.length }
      : { line: change.range.start.line + inserted.length - 1, character: tail.length };
  const move = (position: Position): Position => {
    if (isBefore(position, change.range.end)) {
      return isBefore(position, change.range.start) ? position : change.range.start;
    }
    return {
      line: position.line + end.line - change.range.end.line,
      character:
        position.line === change.range.end.line
          ? position.character + end.character - change.range.end.character
          : position.character,
    };
  };
  // What is typed right behind a range does not belong to it.
  const isBehind = !isBefore(change.range.start, range.end) && !samePosition(range.start, range.end);
  return isBehind ? range : { start: move(range.start), end: move(range.end) };
}

/** Returns the next place behind a line, or before it with `direction` -1; behind the last comes the first. */
export function neighbour<T extends { lines: Lines }>(places: readonly T[], line: number, direction: 1 | -1): T | undefined {
  const ordered = [...places].sort((a, b) => a.lines.start - b.lines.start);
  return direction === 1
    ? (ordered.find(({ lines }) => lines.start > line) ?? ordered[0])
    : (ordered.findLast(({ lines }) => lines.end <= line && lines.start < line) ?? ordered.at(-1));
}

/** Says in words what a hunk does, for readers who see no colours. */
export function hunkInWords(hunk: Hunk): string {
  const lines = (count: number): string => `${count} ${count === 1 ? "line" : "lines"}`;
  const gone = lineCount(hunk.oldText);
  const come = lineCount(hunk.newText);
  let does = `${lines(gone)} → ${lines(come)}`;
  if (gone === 0) {
    does = `+ ${lines(come)} after this line`;
  } else if (come === 0) {
    does = `− ${lines(gone)}`;
  }
  return hunk.state === "pending" ? does : `${hunk.state}: ${hunk.reason ?? does}`;
}

function isBefore(a: Position, b: Position): boolean {
  return a.line < b.line || (a.line === b.line && a.character < b.character);
}

function samePosition(a: Position, b: Position): boolean {
  return a.line === b.line && a.character === b.character;
}
