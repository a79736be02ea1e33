// Tests what a turn's document says, however its updates come.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TurnUpdate } from "../protocol";
import { Turn } from "./turn";

const text = (value: string): TurnUpdate => ({ kind: "text", text: value });

test("text that came twice is shown once", () => {
  const turn = new Turn("t");
  turn.update(0, text("Hello"));
  turn.update(0, text("Hello"));
  turn.update(3, text("lo, you"));
  assert.equal(turn.reply, "Hello, you");
});

test("missing text is noticed and asked for", () => {
  const turn = new Turn("t");
  assert.equal(turn.update(5, text("world")), false);
  turn.replaceText("Helloworld");
  assert.equal(turn.update(10, text("!")), true);
  assert.equal(turn.reply, "Helloworld!");
});

test("a document shows plan, calls and the end", () => {
  const turn = new Turn("t");
  turn.prompt = "Do it\nnow";
  turn.update(0, { kind: "plan", entries: [{ text: "read", status: "completed" }, { text: "write", status: "pending" }] });
  turn.update(0, text("First."));
  turn.update(6, { kind: "toolCall", callId: "c", tool: "edit", title: "a.txt" });
  turn.update(6, { kind: "toolResult", callId: "c", status: "ok", summary: "1 hunk" });
  turn.update(6, text("Then."));
  turn.update(11, { kind: "usage", usage: { inputTokens: 1200, outputTokens: 30, costUsd: 0.0123 } });
  turn.finish({ turnId: "t", status: "completed", reply: "Then.", proposalIds: ["p"] });
  assert.equal(
    turn.markdown(),
    [
      "> Do it\n> now",
      "- [x] read\n- [ ] write",
      "First.",
      "- `edit` a.txt (ok) – 1 hunk",
      "Then.",
      "---",
      "**completed** · 1,200 tokens in, 30 out, $0.0123\n",
    ].join("\n\n"),
  );
});

test("a failed turn says why", () => {
  const turn = new Turn("t");
  turn.finish({ turnId: "t", status: "failed", error: { class: "auth", message: "set a key" }, proposalIds: [] });
  assert.match(turn.markdown(), /\*\*failed\*\* · set a key/);
  assert.equal(turn.isRunning, false);
});

test("an end is final", () => {
  const turn = new Turn("t");
  turn.finish({ turnId: "t", status: "completed", reply: "all", proposalIds: ["p"] });
  turn.finish({ turnId: "t", status: "running", reply: "a", proposalIds: [] });
  assert.deepEqual([turn.status, turn.reply, turn.proposalIds], ["completed", "all", ["p"]]);
});

test("durable events tell what was missed", () => {
  const turn = new Turn("t");
  const at = "2026-01-01T00:00:00Z";
  turn.replay({ seq: 1, at, kind: "turnStarted", turnId: "t", sessionId: "s", mode: "agent", prompt: "p" });
  turn.replay({ seq: 2, at, kind: "message", turnId: "t", text: "one" });
  turn.replay({ seq: 3, at, kind: "message", turnId: "t", text: "two" });
  turn.replay({ seq: 4, at, kind: "turnFinished", turnId: "t", status: "completed", proposalIds: [] });
  assert.match(turn.markdown(), /\n\none\n\ntwo\n\n/);
  assert.equal(turn.status, "completed");
});

test("what was heard live is not told again by durable events", () => {
  const at = "2026-01-01T00:00:00Z";
  const turn = new Turn("t");
  turn.update(0, text("First."));
  turn.update(6, { kind: "toolCall", callId: "c", tool: "edit", title: "edit a.txt" });
  turn.update(6, text("Th"));
  const before = turn.markdown();
  turn.replay({ seq: 1, at, kind: "message", turnId: "t", text: "First." });
  turn.replay({ seq: 2, at, kind: "toolCalled", turnId: "t", callId: "c", tool: "edit", title: "edit a.txt" });
  assert.equal(turn.markdown(), before);
  turn.replay({ seq: 3, at, kind: "message", turnId: "t", text: "Then." });
  turn.replay({ seq: 4, at, kind: "message", turnId: "t", text: "Then." });
  assert.match(turn.markdown(), /First\.\n\n- `edit` a\.txt \(running\)\n\nThen\.\n\nThen\.\n\n---/);
});

test("the reply of a running turn goes on where its events end", () => {
  const at = "2026-01-01T00:00:00Z";
  const turn = new Turn("t");
  turn.replay({ seq: 1, at, kind: "message", turnId: "t", text: "one" });
  turn.replay({ seq: 2, at, kind: "toolCalled", turnId: "t", callId: "c", tool: "read", title: "read a.txt" });
  turn.replaceText("onetw");
  assert.equal(turn.update(5, text("o")), true);
  assert.match(turn.markdown(), /one\n\n- `read` a\.txt \(running\)\n\ntwo\n/);
});

test("what a tool said in several lines is a block and no Markdown", () => {
  const turn = new Turn("t");
  turn.update(0, { kind: "toolCall", callId: "c", tool: "bash", title: "bash ls" });
  turn.update(0, { kind: "toolResult", callId: "c", status: "ok", summary: "\n---\na\n\nb\n" });
  assert.match(turn.markdown(), /- `bash` ls \(ok\)\n\n  ```\n  ---\n  a\n\n  b\n  ```\n/);
});
