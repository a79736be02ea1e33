// Marks in editors and the explorer: lines that a hunk takes away, words for what comes, files that wait for a review.
import * as vscode from "vscode";
import type { PlacedHunk, Proposals } from "./proposals";
import { fileOf } from "./proposals";
import { schemes } from "./pure/documents";
import { hunkInWords, isInsertion } from "./pure/hunks";
import { counted } from "./pure/words";

/** Draws hunks, and keeps the contexts that keys and menus depend on. */
export class Decorations implements vscode.Disposable {
  readonly #removed = decoration("diffEditor.removedLineBackground", "editorGutter.deletedBackground");
  readonly #inserted = decoration(undefined, "editorGutter.addedBackground");
  readonly #applied = decoration("diffEditor.insertedLineBackground", "editorGutter.addedBackground");
  readonly #stale = decoration(undefined, "editorWarning.foreground");
  readonly #subscriptions: vscode.Disposable[];

  constructor(readonly proposals: Proposals) {
    const redraw = (): void => {
      this.#draw();
      this.#setContexts();
    };
    this.#subscriptions = [
      proposals.onDidChange(redraw),
      vscode.window.onDidChangeVisibleTextEditors(redraw),
      vscode.window.onDidChangeActiveTextEditor(redraw),
      vscode.window.onDidChangeTextEditorSelection(() => {
        this.#setContexts();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("kkcode.review.decorations")) {
          redraw();
        }
      }),
      vscode.window.registerFileDecorationProvider(new Badges(proposals)),
    ];
    redraw();
  }

  dispose(): void {
    for (const each of [...this.#subscriptions, this.#removed, this.#inserted, this.#applied, this.#stale]) {
      each.dispose();
    }
  }

  #draw(): void {
    const isOn = vscode.workspace.getConfiguration("kkcode").get<boolean>("review.decorations", true);
    for (const editor of vscode.window.visibleTextEditors) {
      const { uri } = editor.document;
      const placed = isOn && uri.scheme !== schemes.base ? this.proposals.in(uri) : [];
      const isProposedSide = fileOf(uri).isProposedSide;
      const of = (wanted: (placed: PlacedHunk) => boolean): vscode.DecorationOptions[] =>
        placed.filter(wanted).map((here) => mark(editor.document, here));
      // The diff editor paints the proposed side itself.
      editor.setDecorations(this.#removed, isProposedSide ? [] : of(({ hunk }) => hunk.state === "pending" && !isInsertion(hunk)));
      editor.setDecorations(this.#inserted, isProposedSide ? [] : of(({ hunk }) => hunk.state === "pending" && isInsertion(hunk)));
      editor.setDecorations(this.#applied, of(({ hunk }) => hunk.state === "applied"));
      editor.setDecorations(this.#stale, of(({ hunk }) => hunk.state === "stale"));
    }
  }

  #setContexts(): void {
    const editor = vscode.window.activeTextEditor;
    const uri = editor?.document.uri;
    const here = editor === undefined ? undefined : this.proposals.at(editor.document.uri, editor.selection.active.line);
    setContext("hunkHere", here !== undefined);
    setContext("staleHunkHere", here?.hunk.state === "stale");
    setContext("fileHasHunks", uri !== undefined && this.proposals.in(uri).length > 0);
    setContext("proposedSide", uri !== undefined && fileOf(uri).isProposedSide);
    setContext("hasHunks", this.proposals.all().length > 0);
  }
}

const contexts = new Map<string, boolean>();

/** Sets a context of ours for `when` clauses, if it is another than before. */
export function setContext(name: string, value: boolean): void {
  if (contexts.get(name) !== value) {
    contexts.set(name, value);
    void vscode.commands.executeCommand("setContext", `kkcode.${name}`, value);
  }
}

/** Badges of files with undecided hunks. */
class Badges implements vscode.FileDecorationProvider {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeFileDecorations = this.#changed.event;

  constructor(readonly proposals: Proposals) {
    proposals.onDidChange(() => {
      this.#changed.fire(undefined);
    });
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const count = uri.scheme === "file" ? this.proposals.in(uri).length : 0;
    if (count === 0) {
      return undefined;
    }
    const badge = count > 9 ? "9+" : String(count);
    const color = new vscode.ThemeColor("gitDecoration.modifiedResourceForeground");
    return new vscode.FileDecoration(badge, `Kkcode: ${counted(count, "hunk")} to review`, color);
  }
}

function decoration(background: string | undefined, ruler: string): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    ...(background === undefined ? {} : { backgroundColor: new vscode.ThemeColor(background) }),
    overviewRulerColor: new vscode.ThemeColor(ruler),
    overviewRulerLane: vscode.OverviewRulerLane.Left,
    borderColor: new vscode.ThemeColor(ruler),
    borderStyle: "solid",
    borderWidth: "0 0 0 3px",
  });
}

function mark(document: vscode.TextDocument, { hunk, lines }: PlacedHunk): vscode.DecorationOptions {
  const last = Math.max(0, document.lineCount - 1);
  const range = new vscode.Range(Math.min(lines.start, last), 0, Math.min(Math.max(lines.end - 1, lines.start), last), 0);
  const after = {
    contentText: `  ⟵ ${hunkInWords(hunk)}`,
    color: new vscode.ThemeColor("editorCodeLens.foreground"),
    fontStyle: "italic",
  };
  // The words stand once, on the first line, which is what `after` of a range of several lines would not do.
  const words = document.lineAt(range.start.line).range;
  return range.isSingleLine ? { range: words, renderOptions: { after } } : { range: words.union(range), renderOptions: { after } };
}
