// Writes the parts of package.json that are lists of commands, menus and keys, from the one table below.
//
//   npm run manifest
//   npm run manifest -- --server FILE      and what `kkcode.config` may hold, from `FILE config schema`
//   npm run manifest -- --check            writes nothing; fails where the files are not what the table says
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

const HUNK = "kkcode.hunkHere";
const OPEN = "kkcode.hasHunks";
const key = (keys, when) => ({ key: keys, when: `editorTextFocus && ${when}` });

// id: [title, icon?, where it is offered beside the palette, key?, palette condition?]
const COMMANDS = {
  "hunk.accept": { title: "Accept Hunk", icon: "check", menus: [["editor/context", HUNK, "1_kkcode@1"]], ...key("alt+enter", HUNK), palette: HUNK },
  "hunk.reject": { title: "Reject Hunk", icon: "discard", menus: [["editor/context", HUNK, "1_kkcode@2"]], ...key("alt+backspace", HUNK), palette: HUNK },
  "hunk.rejectWithReason": { title: "Reject Hunk with a Reason…", menus: [["editor/context", HUNK, "1_kkcode@3"]], ...key("shift+alt+backspace", HUNK), palette: HUNK },
  "hunk.merge": { title: "Merge Stale Hunk", menus: [["editor/context", "kkcode.staleHunkHere", "1_kkcode@4"]], palette: "kkcode.staleHunkHere" },
  "hunk.takeProposal": { title: "Take Proposal Here", menus: [["editor/context", "kkcode.staleHunkHere", "1_kkcode@5"]], palette: "kkcode.staleHunkHere" },
  "hunk.acceptLines": { title: "Accept Selected Lines", menus: [["editor/context", "kkcode.proposedSide && editorHasSelection", "1_kkcode@6"]], palette: "kkcode.proposedSide" },
  "hunk.rejectLines": { title: "Reject Selected Lines", menus: [["editor/context", "kkcode.proposedSide && editorHasSelection", "1_kkcode@7"]], palette: "kkcode.proposedSide" },
  "hunk.why": { title: "Why This Hunk?", icon: "question", menus: [["editor/context", HUNK, "1_kkcode@8"]], palette: HUNK },
  "hunk.comment": { title: "Comment on Hunk", icon: "comment", menus: [["editor/context", HUNK, "1_kkcode@9"]], palette: HUNK },
  "hunk.next": { title: "Next Hunk", icon: "arrow-down", menus: [["editor/title", OPEN, "navigation@1"]], key: "alt+f6", when: OPEN, palette: OPEN },
  "hunk.previous": { title: "Previous Hunk", icon: "arrow-up", menus: [["editor/title", OPEN, "navigation@2"]], key: "shift+alt+f6", when: OPEN, palette: OPEN },
  "file.diff": { title: "Show Proposed Changes of This File", icon: "diff", menus: [["editor/title", "kkcode.fileHasHunks", "navigation@3"], ["view/item/context", "viewItem == file", "inline@1"]], ...key("alt+d", "kkcode.fileHasHunks"), palette: "kkcode.fileHasHunks" },
  "file.accept": { title: "Accept All Hunks of This File", icon: "check-all", menus: [["editor/title", "kkcode.fileHasHunks", "navigation@4"], ["view/item/context", "viewItem == file", "inline@2"]], palette: "kkcode.fileHasHunks" },
  "file.reject": { title: "Reject All Hunks of This File…", icon: "discard", menus: [["editor/title", "kkcode.fileHasHunks", "navigation@5"], ["view/item/context", "viewItem == file", "inline@3"]], palette: "kkcode.fileHasHunks" },
  "proposal.diff": { title: "Show All Changes of the Proposal", icon: "diff-multiple", menus: [["view/item/context", "viewItem == proposal", "inline@1"]], palette: OPEN },
  "proposal.accept": { title: "Accept Proposal", icon: "check-all", menus: [["view/item/context", "viewItem == proposal", "inline@2"]], palette: OPEN },
  "proposal.reject": { title: "Reject Proposal…", icon: "discard", menus: [["view/item/context", "viewItem == proposal", "inline@3"]], palette: OPEN },
  "review.send": { title: "Send Review to the Agent", icon: "comment-discussion", menus: [["view/item/context", "viewItem == proposal", "inline@4"]] },
  "review.undo": { title: "Undo Last Review Decision", icon: "redo", menus: [["view/title", "view == kkcode.proposals", "navigation@1"]], key: "ctrl+alt+z", when: "kkcode.running" },
  "review.redo": { title: "Redo Review Decision", menus: [["view/title", "view == kkcode.proposals", "1_more@1"]], key: "ctrl+alt+y", when: "kkcode.running" },
  "comment.add": { title: "Add Comment", menus: [["comments/commentThread/context", "commentController == kkcode", "inline"]], palette: "false" },
  "turn.start": { title: "Ask the Agent to Work on…", icon: "add", menus: [["view/title", "view == kkcode.turns", "navigation@1"], ["editor/context", "editorTextFocus && resourceScheme == file", "2_kkcode@1"]], key: "ctrl+alt+k", when: "kkcode.running" },
  "turn.ask": { title: "Ask a Question about the Code…", menus: [["editor/context", "editorTextFocus && resourceScheme == file", "2_kkcode@2"]], key: "ctrl+alt+q", when: "kkcode.running" },
  "turn.plan": { title: "Plan a Change…" },
  "turn.explain": { title: "Explain Selection", menus: [["editor/context", "editorHasSelection && resourceScheme == file", "2_kkcode@3"]] },
  "turn.refactor": { title: "Refactor Selection…", menus: [["editor/context", "editorHasSelection && resourceScheme == file", "2_kkcode@4"]] },
  "turn.document": { title: "Document Selection", menus: [["editor/context", "editorHasSelection && resourceScheme == file", "2_kkcode@5"]] },
  "turn.writeTests": { title: "Write Tests for Selection", menus: [["editor/context", "editorHasSelection && resourceScheme == file", "2_kkcode@6"]] },
  "turn.fix": { title: "Fix Problems Here", menus: [["editor/context", "editorTextFocus && resourceScheme == file", "2_kkcode@7"]] },
  "turn.attachFile": { title: "Attach File to the Next Prompt", menus: [["explorer/context", "!explorerResourceIsFolder && resourceScheme == file", "7_kkcode@1"], ["editor/title/context", "resourceScheme == file", "7_kkcode@1"]] },
  "turn.attachSelection": { title: "Attach Selection to the Next Prompt", menus: [["editor/context", "editorHasSelection && resourceScheme == file", "2_kkcode@8"]] },
  "turn.clearAttachments": { title: "Clear Attachments" },
  "turn.show": { title: "Show Turn", icon: "open-preview", menus: [["view/item/context", "viewItem =~ /^turn/", "inline@1"]], palette: "false" },
  "turn.cancel": { title: "Cancel Turn", icon: "debug-stop", menus: [["view/item/context", "viewItem == turnRunning", "inline@2"]] },
  "turn.continue": { title: "Go on in This Session…", icon: "reply", menus: [["view/item/context", "viewItem =~ /^turn/", "inline@3"]], palette: "false" },
  "session.resume": { title: "Resume Session…", icon: "reply", menus: [["view/item/context", "viewItem == session", "inline@1"]] },
  "session.show": { title: "Show Conversation of Session", icon: "open-preview", menus: [["view/item/context", "viewItem == session", "inline@2"]] },
  "session.fork": { title: "Fork Session", icon: "repo-forked", menus: [["view/item/context", "viewItem == session", "1_session@1"]] },
  "session.rename": { title: "Rename Session…", menus: [["view/item/context", "viewItem == session", "1_session@2"]] },
  "session.delete": { title: "Delete Session…", menus: [["view/item/context", "viewItem == session", "1_session@3"]] },
  "session.refresh": { title: "Refresh Sessions", icon: "refresh", menus: [["view/title", "view == kkcode.sessions", "navigation@1"]] },
  "task.start": { title: "Start Background Task…", icon: "add", menus: [["view/title", "view == kkcode.tasks", "navigation@1"]] },
  "task.show": { title: "Show Task", icon: "open-preview", menus: [["view/item/context", "viewItem =~ /^task/", "1_task@1"]] },
  "task.logs": { title: "Show Task Log", icon: "output", menus: [["view/item/context", "viewItem =~ /^task/", "inline@1"]] },
  "task.cancel": { title: "Cancel Task", icon: "debug-stop", menus: [["view/item/context", "viewItem =~ /\\bactive\\b/", "inline@2"]] },
  "task.retry": { title: "Retry Task", icon: "debug-restart", menus: [["view/item/context", "viewItem =~ /\\bretry\\b/", "inline@2"]] },
  "task.openResult": { title: "Open Result of Task as Proposal", icon: "diff-multiple", menus: [["view/item/context", "viewItem =~ /\\bresult\\b/", "inline@2"]] },
  "task.clean": { title: "Remove Old Tasks", menus: [["view/title", "view == kkcode.tasks", "1_more@1"]] },
  "waiting.show": { title: "Answer What the Agent Waits For", key: "ctrl+alt+a", when: "kkcode.waiting" },
  "permission.setLevel": { title: "Set Permission Level…" },
  "permission.rules": { title: "Show and Forget Learned Permission Rules…" },
  "model.select": { title: "Select Model…" },
  "secret.set": { title: "Set API Key of a Provider…" },
  "secret.remove": { title: "Remove API Key of a Provider…" },
  "status.menu": { title: "Status and Actions…" },
  "server.restart": { title: "Restart Server" },
  "server.showLog": { title: "Show Log" },
  "doctor": { title: "Doctor" },
  "walkthrough": { title: "Get Started" },
};

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const nls = JSON.parse(readFileSync("package.nls.json", "utf8"));
const title = (id) => `command.${id}`;
for (const name of Object.keys(nls).filter((name) => name.startsWith("command."))) {
  delete nls[name];
}

const commands = [];
const keybindings = [];
const menus = { commandPalette: [] };
for (const [name, { title: text, icon, menus: places = [], key: keys, when, palette }] of Object.entries(COMMANDS)) {
  const command = `kkcode.ui.${name}`;
  nls[title(name)] = text;
  commands.push({ command, title: `%${title(name)}%`, category: "Kkcode", ...(icon && { icon: `$(${icon})` }) });
  if (keys) {
    keybindings.push({ command, key: keys, when });
  }
  if (palette) {
    menus.commandPalette.push({ command, when: palette });
  }
  for (const [menu, condition, group] of places) {
    (menus[menu] ??= []).push({ command, when: condition, group });
  }
}
const { values } = parseArgs({ options: { server: { type: "string" }, check: { type: "boolean" } } });
if (values.server) {
  const schema = JSON.parse(execFileSync(values.server, ["config", "schema"], { encoding: "utf8" }));
  manifest.contributes.configuration.properties["kkcode.config"].properties = withoutKeys(schema.properties);
}
Object.assign(manifest.contributes, { commands, keybindings, menus });
for (const [file, content] of Object.entries({ "package.json": manifest, "package.nls.json": nls })) {
  const text = `${JSON.stringify(content, null, 2)}\n`;
  if (!values.check) {
    writeFileSync(file, text);
  } else if (readFileSync(file, "utf8") !== text) {
    console.error(`${file} is not what the table in scripts/manifest.mjs says: change the table and run \`npm run manifest\`.`);
    process.exitCode = 1;
  }
}

// Keys of providers belong into the secret storage, so settings do not offer them.
function withoutKeys(value) {
  if (Array.isArray(value)) {
    return value.map(withoutKeys);
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== "api_key").map(([name, inner]) => [name, withoutKeys(inner)]));
}
