// Tests which message tells about a task, and when there is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskSummary } from "../protocol";
import { acts, endedInWords, taskMessage } from "./task";

const task = (more: Partial<TaskSummary>): TaskSummary => ({
  taskId: "task_1",
  description: "tidy up",
  status: "running",
  attempt: 1,
  createdAt: "2026-01-01T00:00:00Z",
  ...more,
});
const result = { reply: "done", proposalIds: ["p"], usage: { inputTokens: 1, outputTokens: 1 } };

test("a task that ended with changes offers their review, one that failed another attempt", () => {
  const done = taskMessage(task({ status: "completed", result }), "always");
  assert.deepEqual(done, {
    text: "tidy up: completed",
    isWarning: false,
    buttons: { Review: "task.openResult", "Show Log": "task.logs" },
  });
  const failed = taskMessage(task({ status: "error", error: { class: "auth", message: "who are you" } }), "always");
  assert.deepEqual(failed?.buttons, { Retry: "task.retry", "Show Log": "task.logs" });
  assert.match(failed.text, /who are you/);
  assert.equal(failed.isWarning, true);
});

test("a cancelled task is no failure, and can be started again", () => {
  const message = taskMessage(task({ status: "cancelled" }), "always");
  assert.deepEqual([message?.isWarning, message?.buttons], [false, { Retry: "task.retry", "Show Log": "task.logs" }]);
});

test("the menu of a task offers what can be done with it", () => {
  const offered = (more: Partial<TaskSummary>): string => acts(task(more));
  assert.equal(offered({}), "task active");
  assert.equal(offered({ status: "completed" }), "task ended");
  assert.equal(offered({ status: "completed", result }), "task ended result");
  assert.equal(offered({ status: "cancelled", result }), "task ended retry result");
});

test("the setting says which messages are wanted", () => {
  const waits = task({ status: "waiting", waitingFor: { kind: "key", provider: "door" } });
  const done = task({ status: "completed" });
  const seen = (["always", "waiting", "never"] as const).map((wanted) => [taskMessage(waits, wanted), taskMessage(done, wanted)].map(Boolean));
  assert.deepEqual(seen, [[true, true], [true, false], [false, false]]);
});

test("a task that goes on, or whose prompt asks already, has no message", () => {
  assert.equal(taskMessage(task({ activity: "reads" }), "always"), undefined);
  assert.equal(taskMessage(task({ status: "waiting", waitingFor: { kind: "permission", promptId: "p" } }), "always"), undefined);
});

test("many tasks that ended are told in one message", () => {
  const many = ["a", "b", "c", "d", "e"].map((description) => task({ description, status: "completed" }));
  assert.equal(endedInWords(many), "5 tasks ended meanwhile: a (completed), b (completed), c (completed), and 2 more");
});
