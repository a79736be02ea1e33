// A server that is killed, and two windows on one folder: nothing is lost, and nothing is shown as it is not.
import { EVERYWHERE_TRUSTED } from "./harness.mjs";

const NOTES = "one\ntwo\nthree\nfour\nfive\nsix\n";

const LOUD = `
turns:
  - stream:
      - tool: {name: edit, input: {path: notes.txt, before: two, after: TWO}}
      - tool: {name: edit, input: {path: notes.txt, before: five, after: FIVE}}
`;

const ASKS = `
turns:
  - stream:
      - tool: {name: read, input: {path: .env}}
  - expect: [TOKEN=1]
    stream: [{text: "I have read it."}]
`;

/** Starts a turn. */
async function turn(editor, prompt) {
  await editor.command("Kkcode: Ask the Agent to Work on");
  await editor.answer("What should the agent do?", prompt);
}

/** Returns the status item, when it says so. */
const says = (editor, words) => editor.page.locator(".statusbar-item", { hasText: "play" }).filter({ hasText: words });

export const faults = {
  // The server dies in the middle of a turn: the user is told, it is there again, and what waited still waits.
  killed: {
    files: { "notes.txt": NOTES },
    settings: EVERYWHERE_TRUSTED,
    script: `${LOUD}  - stream:
      - text: "Thinking about the rest."
      - waitFor: never
`,
    async run(editor) {
      const { page } = editor;
      await editor.ready();
      await editor.open("notes.txt", "three");
      await turn(editor, "Raise your voice");
      await editor.seeText("Thinking about the rest");
      await editor.seeLenses("Accept hunk", 2);
      const [killed] = editor.servers();
      process.kill(killed, "SIGKILL");

      await editor.seeMessage("was started again");
      await editor.eventually("another server", () => editor.servers().some((pid) => pid !== killed));
      await editor.seeText("interrupted");
      await editor.command("Kkcode: Focus on Turns View");
      await editor.row("Raise your voice", "interrupted").waitFor();
      await editor.seeLenses("Accept hunk", 2);
      await editor.lens("Accept hunk").first().click();
      await editor.seeLenses("Accept hunk", 1);
      await editor.line("TWO").click();
      await page.keyboard.press("Control+s");
      await editor.seeFile("notes.txt", NOTES.replace("two", "TWO"));

      editor.write("home/script.yaml", 'turns:\n  - stream: [{text: "Here I am."}]\n');
      await turn(editor, "Are you there?");
      await editor.seeText("Here I am");
      await editor.row("Are you there?", "completed").waitFor();
    },
  },

  // Whatever one window decides, the other sees.
  windows: {
    files: { "notes.txt": NOTES, ".env": "TOKEN=1\n" },
    settings: EVERYWHERE_TRUSTED,
    script: `${LOUD}  - stream: [{text: "Both wait."}]\n`,
    async run(editor) {
      await editor.ready();
      await editor.open("notes.txt", "three");
      const other = await editor.secondWindow();
      await other.ready();
      await other.open("notes.txt", "three");
      await editor.front("three");
      await turn(editor, "Raise your voice");
      await editor.seeText("Both wait");
      await editor.seeLenses("Accept hunk", 2);
      await other.seeLenses("Accept hunk", 2);
      // Accepted and saved in one, it is gone in the other.
      await editor.lens("Accept hunk").first().click();
      await editor.front("TWO");
      await editor.page.keyboard.press("Control+s");
      await editor.seeFile("notes.txt", NOTES.replace("two", "TWO"));
      await other.front("TWO");
      await says(other, "1 hunk").waitFor();
      // Rejected in the other, it is gone in the one.
      await other.seeLenses("Reject hunk", 1);
      await other.lens("Reject hunk").click();
      await says(other, "manual").filter({ hasNotText: "hunk" }).waitFor();
      await editor.page.bringToFront();
      await says(editor, "manual").filter({ hasNotText: "hunk" }).waitFor();
      await editor.seeFile("notes.txt", NOTES.replace("two", "TWO"));

      // A question is shown in both, and is gone from both when it is answered in one; so is a task.
      editor.write("home/script.yaml", ASKS);
      await turn(editor, "Read the secrets");
      await editor.seeMessage("read .env");
      await other.front("three");
      await other.seeMessage("read .env");
      await other.press("read .env", "Allow Once");
      await editor.front("three");
      await editor.seeText("I have read it");
      await editor.notice("read .env").waitFor({ state: "detached" });
      editor.write("home/script.yaml", "turns: [{stream: [{waitFor: never}]}]\n");
      await editor.command("Kkcode: Start Background Task");
      await editor.answer("Start a background task", "Think about it");
      await editor.pick("Where does it work?", "Over my files");
      await other.front("three");
      await other.command("Kkcode: Focus on Tasks View");
      await other.row("Think about it", "running").waitFor();
      await other.inRow("Cancel Task", "Think about it", "running");
      await other.row("Think about it", "cancelled").waitFor();
    },
  },
};
