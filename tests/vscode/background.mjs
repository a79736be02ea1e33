// Background tasks: started, followed, cancelled, started again, found again, and what is told of them.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { EVERYWHERE_TRUSTED as TRUSTED } from "./harness.mjs";

const NOTES = "one\ntwo\nthree\nfour\nfive\nsix\n";
/** How long a model says nothing that is only waited for to be cancelled, in milliseconds. */
const FOREVER = 3_600_000;

const SLOW = `
turns:
  - stream:
      - text: "I look at the notes first.\\n"
      - tool: {name: read, input: {path: notes.txt}}
  - stream:
      - text: "Now I think about them."
      - delayMs: ${FOREVER}
`;
const LOUD = `
turns:
  - stream:
      - tool: {name: edit, input: {path: notes.txt, before: two, after: TWO}}
      - tool: {name: write, input: {path: more.txt, content: "seven\\n"}}
  - stream:
      - text: "It is louder now."
`;
const CAREFUL = LOUD.replace("turns:", `turns:
  - stream: [{tool: {name: read, input: {path: .env}}}]`);
const BROKEN = `
turns:
  - stream: [{error: {class: auth, message: "who are you"}}]
`;

/** Starts a task, over the user's files if nothing else is said. */
async function start(editor, prompt, place = "Over my files") {
  await editor.command("Kkcode: Start Background Task");
  await editor.answer("Start a background task", prompt);
  await editor.pick("Where does it work?", place);
}

/** Runs git in the user's folder, with nobody's settings, and returns what it prints. */
function git(editor, ...args) {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  const who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];
  const { status, stdout, stderr } = spawnSync("git", [...who, ...args], { cwd: editor.work, env, encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`git ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`);
  }
  return stdout;
}

const sees = (editor, ...words) => editor.row(...words).waitFor();

export const background = {
  // Progress, log, cancel by the notification; a window that comes back finds hunks and tasks, and cancels by the view.
  tasks: {
    files: { "notes.txt": NOTES },
    settings: TRUSTED,
    script: SLOW,
    async run(editor) {
      const { page } = editor;
      const progress = (words) => editor.notice(`Task: ${words}`);
      await editor.ready();
      await editor.command("Kkcode: Focus on Tasks View");
      await start(editor, "Think about it");
      await progress("Think about it").filter({ hasText: "running" }).waitFor();
      await sees(editor, "Think about it", "running");
      await page.locator(".statusbar-item", { hasText: "1 task" }).waitFor();

      await editor.command("Kkcode: Show Task Log");
      await editor.pick("Which task?", "Think about it");
      await editor.seeText("I look at the notes first");
      await editor.seeText("read: read notes.txt");
      await editor.picture("10-task");
      await editor.command("View: Toggle Panel Visibility");

      await editor.press("Task: Think about it", "Cancel");
      await sees(editor, "Think about it", "cancelled");
      await progress("Think about it").waitFor({ state: "detached" });
      await editor.seeMessage("Think about it: cancelled");

      // One comes back with hunks, another one goes on while the window is loaded again.
      editor.write("home/script.yaml", LOUD);
      await start(editor, "Raise your voice");
      await sees(editor, "Raise your voice", "completed");
      editor.write("home/script.yaml", SLOW);
      await start(editor, "Think again");
      await sees(editor, "Think again", "running");
      await page.reload();
      await editor.ready("2 hunks");
      await editor.command("Kkcode: Focus on Tasks View");
      await sees(editor, "Think again", "running");
      await sees(editor, "Raise your voice", "completed");
      await sees(editor, "notes.txt", "1 hunk");
      await editor.picture("11-tasks-again");
      await editor.inRow("Cancel Task", "Think again", "read notes.txt");
      await sees(editor, "Think again", "cancelled");
      await editor.seeMessage("Think again: cancelled");
      await editor.seeFile("notes.txt", NOTES);
    },
  },

  // A task fails, is started again, waits for an answer, and comes back with a proposal of two files.
  attempts: {
    files: { "notes.txt": NOTES, ".env": "COLOUR=blue\n" },
    settings: TRUSTED,
    script: BROKEN,
    async run(editor) {
      const { page } = editor;
      await editor.ready();
      await editor.command("Kkcode: Focus on Tasks View");
      await start(editor, "Raise your voice");
      await sees(editor, "Raise your voice", "error: who are you");
      await editor.seeMessage("who are you");

      editor.write("home/script.yaml", CAREFUL);
      await editor.press("who are you", "Retry");
      await sees(editor, "Raise your voice", "waiting, attempt 2, for a permission");
      await editor.notice("Task “Raise your voice”: read .env").waitFor();
      await editor.picture("12-task-waits");
      await editor.press("read .env", "Allow Once");
      await sees(editor, "Raise your voice", "completed, attempt 2");
      // What went on with it is called as it was asked for.
      await sees(editor, "Raise your voice", "2 hunks");

      // Its result is one view of all its files, and nothing is in them before it is accepted.
      await editor.press("Raise your voice: completed", "Review");
      await page.locator(".multiDiffEditor .view-line", { hasText: /^TWO$/ }).first().waitFor();
      await page.locator(".multiDiffEditor .view-line", { hasText: /^seven$/ }).first().waitFor();
      await editor.picture("13-result");
      await editor.seeFile("notes.txt", NOTES);
      await editor.command("Kkcode: Accept Proposal");
      await editor.seeFile("more.txt", "seven\n");
      await editor.command("Kkcode: Remove Old Tasks");
      await page.locator(".statusbar-item", { hasText: "0 old tasks removed" }).waitFor();
      await sees(editor, "Raise your voice", "completed");
    },
  },

  // A task in a worktree works beside the user's files, begins with what is not committed, and proposes for his own; where there
  // is no repository the start is refused with the reason.
  worktree: {
    files: { "notes.txt": NOTES },
    settings: TRUSTED,
    script: SLOW,
    async run(editor) {
      const apart = "In a git worktree of its own";
      const copies = () => (existsSync(`${editor.folder}/home-worktrees`) ? readdirSync(`${editor.folder}/home-worktrees`) : []);
      await editor.ready();
      await editor.command("Kkcode: Focus on Tasks View");
      await start(editor, "Think about it", apart);
      await editor.seeMessage("git repository");

      git(editor, "init", "--quiet");
      git(editor, "add", "notes.txt");
      git(editor, "commit", "--quiet", "--message", "notes");
      editor.write("work/notes.txt", `${NOTES}seven\n`);
      await start(editor, "Think in peace", apart);
      await sees(editor, "Think in peace", "running");
      await editor.eventually("a copy of the files is there", () => copies().some((id) => existsSync(join(editor.folder, "home-worktrees", id, "notes.txt"))));
      await editor.command("Kkcode: Show Task");
      await editor.pick("Which task?", "Think in peace");
      await editor.seeText("| isolation | worktree |");
      await editor.inRow("Cancel Task", "Think in peace", "read notes.txt");
      await sees(editor, "Think in peace", "cancelled");

      editor.write("home/script.yaml", LOUD.replace("before: two, after: TWO", "before: seven, after: SEVEN").replace("more.txt", "other.txt"));
      await start(editor, "Raise your voice", apart);
      await sees(editor, "Raise your voice", "completed");
      await sees(editor, "Raise your voice", "2 hunks");
      await editor.seeFile("notes.txt", `${NOTES}seven\n`);
      if (git(editor, "status", "--porcelain") !== " M notes.txt\n") {
        throw new Error(`the task changed the user's files: ${git(editor, "status", "--porcelain")}`);
      }
      await editor.press("Raise your voice: completed", "Review");
      await editor.page.locator(".multiDiffEditor .view-line", { hasText: /^SEVEN$/ }).first().waitFor();
      await editor.command("Kkcode: Accept Proposal");
      await editor.seeFile("notes.txt", `${NOTES}SEVEN\n`);
    },
  },

  // Who wants no messages gets none; the view and the status bar tell it all the same.
  quiet: {
    files: { "notes.txt": NOTES, ".env": "COLOUR=blue\n" },
    settings: { ...TRUSTED, "kkcode.task.notify": "never" },
    script: CAREFUL,
    async run(editor) {
      const { page } = editor;
      await editor.ready();
      await editor.command("Kkcode: Focus on Tasks View");
      await start(editor, "Raise your voice");
      await page.locator(".statusbar-item", { hasText: "Kkcode waits for 1 answer" }).click();
      await editor.pick("read .env", "Allow once");
      await sees(editor, "Raise your voice", "completed");
      await editor.command("Kkcode: Cancel Turn");
      await editor.seeMessage("no turn is running");
      const told = await page.locator(".notification-list-item", { hasText: /read \.env|completed/ }).count();
      if (told !== 0) {
        throw new Error("a message was shown that was not wanted");
      }
    },
  },

  // What happened while no window was open: a task that ended is told, a turn of the command line is listed with its reply.
  away: {
    files: { "notes.txt": NOTES },
    settings: TRUSTED,
    script: SLOW,
    async run(editor) {
      const { page } = editor;
      await editor.ready();
      await editor.command("Kkcode: Focus on Tasks View");
      await start(editor, "Think about it");
      await sees(editor, "Think about it", "running");
      await editor.remembers("kkcode.seenSeq");
      const address = page.url();
      await page.goto("about:blank");

      const { tasks } = JSON.parse(editor.server("task", "list", "--json"));
      editor.server("task", "cancel", tasks[0].taskId);
      editor.server("task", "wait", tasks[0].taskId);
      editor.write("home/script.yaml", LOUD);
      editor.server("run", "Raise your voice");

      await page.goto(address);
      await editor.ready("2 hunks");
      await editor.seeMessage("Think about it: cancelled");
      await editor.command("Kkcode: Focus on Turns View");
      await editor.row("Raise your voice", "completed").click();
      await editor.seeText("It is louder now");

      // A server that is started again tells nothing twice.
      await editor.command("Kkcode: Restart Server");
      await editor.ready("2 hunks");
      await editor.row("Raise your voice", "completed").waitFor();
      await editor.seeText("It is louder now");
      const replies = await page.locator(".monaco-editor .view-line", { hasText: "louder" }).count();
      if (replies !== 1) {
        throw new Error(`the reply is told ${replies} times`);
      }
    },
  },
};
