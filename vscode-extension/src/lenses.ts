// Code lenses of ours: beside the server's those that only a client can do, and all of them on the editable proposed side.
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import type { PlacedHunk, Proposals } from "./proposals";
import { fileOf } from "./proposals";
import { schemes } from "./pure/documents";
import { hunkInWords } from "./pure/hunks";
import { report } from "./client";

/** Shows why a command of the server's was refused that a lens or a code action ran. */
export function middleware(): Middleware {
  return {
    executeCommand: async (command, args, next): Promise<unknown> => {
      try {
        return await (next(command, args) as Promise<unknown>);
      } catch (error) {
        report(error);
        return undefined;
      }
    },
  };
}

/** After what time VS Code is told once more that lenses have changed, in milliseconds; it waits for 250 itself. */
const ONCE_MORE = 1_000;

/** Our lenses beside the server's, and all of those that only we know. */
class Lenses implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.#changed.event;
  readonly #heard: vscode.Disposable;
  #onceMore: NodeJS.Timeout | undefined;

  constructor(readonly proposals: Proposals) {
    // An editor that loses the focus drops the question for lenses that it was about to ask, of all providers.
    this.#heard = proposals.onDidChange(() => {
      this.#changed.fire();
      clearTimeout(this.#onceMore);
      this.#onceMore = setTimeout(() => { this.#changed.fire(); }, ONCE_MORE);
    });
  }

  dispose(): void {
    clearTimeout(this.#onceMore);
    this.#heard.dispose();
    this.#changed.dispose();
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const isOurs = document.uri.scheme === schemes.edit;
    return this.proposals.in(document.uri).flatMap((placed) => [
      ...(isOurs ? decisions(document, placed) : []),
      ...more(document, placed),
    ]);
  }
}

/** Registers code lenses, and code actions where the server has none. */
export function registerLenses(proposals: Proposals): vscode.Disposable {
  const documents = ["file", schemes.proposed, schemes.edit].map((scheme) => ({ scheme }));
  const lenses = new Lenses(proposals);
  return vscode.Disposable.from(
    lenses,
    vscode.languages.registerCodeLensProvider(documents, lenses),
    vscode.languages.registerCodeActionsProvider({ scheme: schemes.edit }, new EditActions(proposals), {
      providedCodeActionKinds: [vscode.CodeActionKind.RefactorRewrite],
    }),
  );
}

/** The code actions of documents that only we know. */
class EditActions implements vscode.CodeActionProvider {
  constructor(readonly proposals: Proposals) {}

  provideCodeActions(document: vscode.TextDocument, range: vscode.Range): vscode.CodeAction[] {
    const here = this.proposals.at(document.uri, range.start.line);
    if (here === undefined) {
      return [];
    }
    const titles = { "Accept hunk": "hunk.accept", "Reject hunk": "hunk.reject", "Reject hunk with a reason…": "hunk.rejectWithReason" };
    return Object.entries(titles).map(([title, command]) => {
      const action = new vscode.CodeAction(title, vscode.CodeActionKind.RefactorRewrite.append("kkcode"));
      action.command = { title, command: `kkcode.ui.${command}`, arguments: [nameOf(here)] };
      return action;
    });
  }
}

function decisions(document: vscode.TextDocument, placed: PlacedHunk): vscode.CodeLens[] {
  return [
    lens(document, placed, `${hunkInWords(placed.hunk)} · Accept`, "hunk.accept"),
    lens(document, placed, "Reject", "hunk.reject"),
  ];
}

function more(document: vscode.TextDocument, placed: PlacedHunk): vscode.CodeLens[] {
  const lenses = [lens(document, placed, "Why", "hunk.why"), lens(document, placed, "Reject with a reason…", "hunk.rejectWithReason")];
  if (placed.hunk.state === "stale") {
    lenses.unshift(lens(document, placed, "Take proposal here", "hunk.takeProposal"));
  }
  if (placed.hunk.conflict?.mergedText !== undefined) {
    lenses.unshift(lens(document, placed, "Merge", "hunk.merge"));
  }
  if (!fileOf(document.uri).isProposedSide) {
    const { proposal, file } = placed;
    const diff = { title: "Diff", command: "kkcode.ui.file.diff", arguments: [{ proposalId: proposal.proposalId, uri: file.uri }] };
    lenses.unshift(new vscode.CodeLens(firstLine(document, placed), diff));
  }
  return lenses;
}

function lens(document: vscode.TextDocument, placed: PlacedHunk, title: string, command: string): vscode.CodeLens {
  return new vscode.CodeLens(firstLine(document, placed), { title, command: `kkcode.ui.${command}`, arguments: [nameOf(placed)] });
}

function firstLine(document: vscode.TextDocument, { lines }: PlacedHunk): vscode.Range {
  const line = Math.min(lines.start, Math.max(0, document.lineCount - 1));
  return new vscode.Range(line, 0, line, 0);
}

function nameOf({ proposal, hunk }: PlacedHunk): { proposalId: string; hunkId: string } {
  return { proposalId: proposal.proposalId, hunkId: hunk.hunkId };
}
