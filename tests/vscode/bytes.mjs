// What a file is made of beside its lines, endings and a mark in front, is on the disk afterwards as it was before.
import { EVERYWHERE_TRUSTED } from "./harness.mjs";

const LOUD = `
turns:
  - stream:
      - tool: {name: edit, input: {path: notes.txt, before: two, after: TWO}}
  - stream: [{text: "It waits."}]
`;

/** A case in which one line of a file is changed, accepted and saved. */
const saved = (text) => ({
  files: { "notes.txt": text },
  settings: EVERYWHERE_TRUSTED,
  script: LOUD,
  async run(editor) {
    await editor.ready();
    await editor.open("notes.txt", "three");
    await editor.command("Kkcode: Ask the Agent to Work on");
    await editor.answer("What should the agent do?", "Raise your voice");
    await editor.seeLenses("Accept hunk", 1);
    await editor.lens("Accept hunk").first().click();
    await editor.line("TWO").click();
    await editor.page.keyboard.press("Control+s");
    await editor.seeFile("notes.txt", text.replace("two", "TWO"));
  },
});

export const bytes = {
  endings: saved("one\r\ntwo\r\nthree\r\nfour"),
  mark: saved("\u{feff}one\ntwo\nthree\n"),
};
