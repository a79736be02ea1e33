// Tests that a prompt's answers are all there, and that nothing of what is approved is hidden.
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerRows, promptAsMarkdown, promptInWords } from "./permission";

test("the rule that would be learned stands in full beside its answer", () => {
  const rows = answerRows({
    options: [
      { answer: "allow_once", title: "Allow once" },
      { answer: "allow_always", title: "Always allow in this workspace: `npm run test`, file: src/**" },
      { answer: "deny", title: "Deny" },
    ],
  });
  assert.deepEqual(rows.map(({ choice }) => choice), ["allow_once", "allow_always", "deny", "denyWithReason", "show"]);
  assert.deepEqual(rows[1], {
    label: "Always allow in this workspace",
    detail: "The rule: `npm run test`, file: src/**",
    choice: "allow_always",
  });
});

test("an answer whose title names no rule is shown as it is", () => {
  const [row] = answerRows({ options: [{ answer: "allow_always", title: "Always" }] });
  assert.deepEqual(row, { label: "Always", choice: "allow_always" });
});

test("a command cannot leave its fence", () => {
  const command = "echo '```' \\\n  && echo `date`";
  const text = promptAsMarkdown({ title: "run it?", detail: "it is not known", command });
  assert.equal(text, `# run it?\n\nit is not known\n\n\`\`\`\`sh\n${command}\n\`\`\`\`\n`);
});

test("a prompt without detail and command is its title", () => {
  assert.equal(promptAsMarkdown({ title: "may I?", detail: "" }), "# may I?\n");
});

test("a notification has the reason in its one line", () => {
  assert.equal(promptInWords({ title: "run it", detail: "a.txt\n  b.txt\n" }), "run it – a.txt, b.txt");
  assert.equal(promptInWords({ title: "run it", detail: "" }), "run it");
});
