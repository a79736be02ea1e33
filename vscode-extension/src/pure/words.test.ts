// Tests that states are told in words.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskSummary } from "../protocol";
import { costInWords, shortened, statusInWords, taskInWords, unlinked, usageInWords } from "./words";

const task = (more: Partial<TaskSummary>): TaskSummary => ({
  taskId: "t",
  description: "d",
  status: "running",
  attempt: 1,
  createdAt: "2026-01-01T00:00:00Z",
  ...more,
});

test("usage counts the cache, and says when it is estimated", () => {
  const usage = { inputTokens: 1000, outputTokens: 5, cacheReadTokens: 234, estimated: true };
  assert.equal(usageInWords(usage), "1,234 tokens in, 5 out (estimated)");
  assert.deepEqual([0.00421, 12.345].map(costInWords), ["$0.0042", "$12.35"]);
});

test("a task says what it does, waits for, or why it ended", () => {
  assert.equal(taskInWords(task({ activity: "reads a.txt" })), "running: reads a.txt");
  assert.equal(taskInWords(task({ status: "waiting", waitingFor: { kind: "permission", promptId: "p" } })), "waiting, for a permission");
  assert.equal(taskInWords(task({ status: "error", attempt: 2, error: { class: "auth", message: "no key" } })), "error, attempt 2: no key");
  assert.equal(taskInWords(task({ cancelRequested: true })), "stopping");
  assert.equal(taskInWords(task({ status: "interrupted", interruptionReason: "user_cancel" })), "interrupted: user cancel");
});

test("the status line counts only what is there", () => {
  const usage = { inputTokens: 0, outputTokens: 0 };
  const status = { version: "1", protocolVersion: 1, level: "manual" as const, trusted: true, turns: 0, pendingHunks: 0, usage };
  assert.equal(statusInWords({ ...status, tasks: { pending: 0, running: 0, waiting: 0 } }), "manual · no model");
  assert.equal(
    statusInWords({ ...status, model: "a/b", turns: 1, pendingHunks: 2, tasks: { pending: 1, running: 1, waiting: 0 } }),
    "manual · a/b · 1 turn · 2 tasks · 2 hunks",
  );
});

test("a long prompt becomes one line", () => {
  assert.equal(shortened("a\nb"), "a");
  assert.equal(shortened("abcdef", 4), "abc…");
});

test("what others wrote is no link in a message", () => {
  assert.equal(unlinked("run [Allow](command:kkcode.ui.evil) (x)"), "run [Allow] (command:kkcode.ui.evil) (x)");
});
