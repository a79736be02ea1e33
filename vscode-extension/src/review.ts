// The acts of a review: deciding hunks, files and proposals, going through them, seeing differences, undoing.
import * as vscode from "vscode";
import { type Server, registerCommands } from "./client";
import { type DecisionResult, type LineSelector, type Proposal, type Resolution, commands } from "./protocol";
import type { PlacedHunk, Proposals } from "./proposals";
import { fileOf, virtualUri } from "./proposals";
import { schemes } from "./pure/documents";
import { linesOf, neighbour, onProposedSide, selectedLines } from "./pure/hunks";
import { shortened } from "./pure/words";
import { setContext } from "./decorations";

/** What a lens or a key is about: a hunk by name; the one under the cursor if it says nothing. */
export interface HunkName {
  proposalId: string;
  hunkId: string;
}

/** What a row of the Proposals view is about. */
export interface FileName {
  proposalId: string;
  uri?: string;
}

/** The commands of a review. */
export class Review {
  constructor(
    context: vscode.ExtensionContext,
    readonly server: Server,
    readonly proposals: Proposals,
    readonly showTurn: (turnId: string) => Promise<void>,
  ) {
    registerCommands(context, {
      "hunk.accept": (name?: HunkName) => this.#decide("accept", this.#hunk(name)),
      "hunk.reject": (name?: HunkName) => this.#decide("reject", this.#hunk(name)),
      "hunk.rejectWithReason": (name?: HunkName) => this.#rejectWithReason(this.#hunk(name)),
      "hunk.merge": (name?: HunkName) => this.#accept(this.#hunk(name), { resolution: "merge" }),
      "hunk.takeProposal": (name?: HunkName) => this.#accept(this.#hunk(name), { resolution: "theirs" }),
      "hunk.acceptLines": () => this.#decideLines("accept"),
      "hunk.rejectLines": () => this.#decideLines("reject"),
      "hunk.why": (name?: HunkName) => this.#why(this.#hunk(name)),
      "hunk.next": () => this.#go(1),
      "hunk.previous": () => this.#go(-1),
      "file.diff": (name?: FileName) => this.#showFile(name),
      "file.accept": (name?: FileName) => this.#decideFile("accept", name),
      "file.reject": (name?: FileName) => this.#decideFile("reject", name),
      "proposal.diff": (name?: FileName) => this.#showProposal(name),
      "proposal.accept": async (name?: FileName) => {
        const proposalId = (await this.#proposal(name))?.proposalId;
        return proposalId !== undefined && this.#decided(server.command(commands.proposalAccept, { proposalId }));
      },
      "proposal.reject": async (name?: FileName) => {
        const proposalId = (await this.#proposal(name))?.proposalId;
        const reason = proposalId === undefined ? undefined : await askReason("the proposal");
        return proposalId !== undefined && reason !== undefined
          && this.#decided(server.command(commands.proposalReject, { proposalId, ...reason }));
      },
      "review.undo": () => this.#undo(commands.reviewUndo, "undone"),
      "review.redo": () => this.#undo(commands.reviewRedo, "made again"),
    });
  }

  /** Returns the hunk of that name, or the one under the cursor; throws if there is none. */
  #hunk(name: HunkName | undefined): PlacedHunk {
    if (name?.hunkId !== undefined) {
      const proposal = this.proposals.get(name.proposalId);
      for (const file of proposal?.files ?? []) {
        const hunk = file.hunks.find(({ hunkId }) => hunkId === name.hunkId);
        if (proposal !== undefined && hunk !== undefined) {
          return { proposal, file, hunk, lines: linesOf(hunk.range) };
        }
      }
      throw new Error("this hunk is decided by now");
    }
    const editor = vscode.window.activeTextEditor;
    const here = editor === undefined ? undefined : this.proposals.at(editor.document.uri, editor.selection.active.line);
    if (here === undefined) {
      throw new Error("there is no hunk under the cursor: “Kkcode: Next Hunk” goes to one");
    }
    return here;
  }

  async #decide(act: "accept" | "reject", { proposal, hunk }: PlacedHunk, lines?: LineSelector): Promise<void> {
    const params = { proposalId: proposal.proposalId, hunkId: hunk.hunkId, ...(lines && { lines }) };
    await this.#decided(this.server.command(act === "accept" ? commands.hunkAccept : commands.hunkReject, params));
  }

  async #accept({ proposal, hunk }: PlacedHunk, options: { resolution: Resolution }): Promise<void> {
    const params = { proposalId: proposal.proposalId, hunkId: hunk.hunkId, ...options };
    await this.#decided(this.server.command(commands.hunkAccept, params));
  }

  async #rejectWithReason({ proposal, hunk }: PlacedHunk): Promise<void> {
    const reason = await askReason("the hunk");
    if (reason !== undefined) {
      const params = { proposalId: proposal.proposalId, hunkId: hunk.hunkId, ...reason };
      await this.#decided(this.server.command(commands.hunkReject, params));
    }
  }

  async #decided(decision: Promise<DecisionResult>): Promise<void> {
    await decision;
    setContext("decided", true);
  }

  async #decideLines(act: "accept" | "reject"): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined || !fileOf(editor.document.uri).isProposedSide) {
      throw new Error("lines are selected on the proposed side: “Kkcode: Show Proposed Changes of This File” opens it");
    }
    if (editor.document.isDirty) {
      throw new Error("save what you typed on the proposed side first: it becomes your version of the proposal");
    }
    const selection = linesOf(editor.selection);
    const taken = this.proposals.in(editor.document.uri).flatMap((placed) => {
      const place = onProposedSide(placed.file.hunks).get(placed.hunk.hunkId);
      const lines = place === undefined ? undefined : selectedLines(placed.hunk, place, selection);
      return lines === undefined ? [] : [{ placed, lines }];
    });
    if (taken.length === 0) {
      throw new Error("no proposed line is selected");
    }
    for (const { placed, lines } of taken) {
      await this.#decide(act, placed, lines === "all" ? undefined : lines);
    }
  }

  async #why({ hunk, proposal }: PlacedHunk): Promise<void> {
    const turnId = hunk.turnId ?? proposal.origin.turnId;
    if (turnId === undefined) {
      throw new Error(`the hunk is part of “${proposal.title}”, whose turn is not known any more`);
    }
    await this.showTurn(turnId);
  }

  async #go(direction: 1 | -1): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const here = editor === undefined ? [] : this.proposals.in(editor.document.uri);
    const line = editor?.selection.active.line ?? 0;
    const isEnd = direction === 1 ? !here.some(({ lines }) => lines.start > line) : !here.some(({ lines }) => lines.start < line);
    const next = neighbour(here, line, direction);
    if (editor !== undefined && next !== undefined && !(isEnd && this.#otherFiles(editor.document.uri).length > 0)) {
      reveal(editor, next);
      return;
    }
    const files = this.#otherFiles(editor?.document.uri);
    const target = direction === 1 ? files[0] : files.at(-1);
    if (target === undefined) {
      throw new Error("there is no hunk left to review");
    }
    const document = await vscode.workspace.openTextDocument(target.uri);
    const placed = this.proposals.in(target.uri);
    const to = direction === 1 ? placed[0] : placed.at(-1);
    if (to !== undefined) {
      reveal(await vscode.window.showTextDocument(document), to);
    }
  }

  /** Returns the documents of other files with hunks, those behind this one first; of new files, the proposed side. */
  #otherFiles(uri: vscode.Uri | undefined): { uri: vscode.Uri }[] {
    const current = uri === undefined ? undefined : fileOf(uri).file.toString();
    const files = this.proposals.all().flatMap((proposal) =>
      proposal.files
        .filter((file) => this.proposals.in(vscode.Uri.parse(file.uri)).length > 0)
        .map((file) => {
          const at = vscode.Uri.parse(file.uri);
          return { at: at.toString(), uri: file.kind === "create" ? virtualUri(schemes.edit, proposal.proposalId, at) : at };
        }),
    );
    const index = files.findIndex(({ at }) => at === current);
    return [...files.slice(index + 1), ...files.slice(0, Math.max(index, 0))].filter(({ at }) => at !== current);
  }

  async #decideFile(act: "accept" | "reject", name: FileName | undefined): Promise<void> {
    for (const { proposalId, uri } of this.#files(name)) {
      const reason = act === "reject" ? await askReason("the hunks of this file") : {};
      if (reason !== undefined) {
        const command = act === "accept" ? commands.fileAccept : commands.fileReject;
        await this.#decided(this.server.command(command, { proposalId, uri, ...reason }));
      }
    }
  }

  #files(name: FileName | undefined): { proposalId: string; uri: string }[] {
    if (name?.proposalId !== undefined && name.uri !== undefined) {
      return [{ proposalId: name.proposalId, uri: name.uri }];
    }
    const active = vscode.window.activeTextEditor?.document.uri;
    const placed = active === undefined ? [] : this.proposals.in(active);
    if (placed.length === 0) {
      throw new Error("this file has no hunk to review: the Proposals view lists those that have");
    }
    const files = new Map(placed.map(({ proposal, file }) => [`${proposal.proposalId} ${file.uri}`, { proposalId: proposal.proposalId, uri: file.uri }]));
    return [...files.values()];
  }

  async #showFile(name: FileName | undefined): Promise<void> {
    const [file] = this.#files(name);
    const known = file && this.proposals.get(file.proposalId)?.files.find(({ uri }) => uri === file.uri);
    if (file === undefined) {
      return;
    }
    const at = vscode.Uri.parse(file.uri);
    const left = known?.kind === "create" ? virtualUri(schemes.base, file.proposalId, at) : at;
    const title = `${vscode.workspace.asRelativePath(at)} (now ↔ proposed)`;
    await vscode.commands.executeCommand("vscode.diff", left, virtualUri(schemes.edit, file.proposalId, at), title, {
      preview: true,
    });
  }

  async #showProposal(name: FileName | undefined): Promise<void> {
    const proposal = await this.#proposal(name);
    if (proposal !== undefined) {
      const { proposalId } = proposal;
      const resources = proposal.files.map((file) => {
        const at = vscode.Uri.parse(file.uri);
        return [at, virtualUri(schemes.base, proposalId, at), virtualUri(schemes.proposed, proposalId, at)];
      });
      await vscode.commands.executeCommand("vscode.changes", `Proposal: ${shortened(proposal.title)}`, resources);
    }
  }

  /** Returns the proposal that a row names, the only one, or the one the user picks. */
  async #proposal(name: FileName | undefined): Promise<Proposal | undefined> {
    const open = this.proposals.all();
    if (name?.proposalId !== undefined) {
      return this.proposals.get(name.proposalId);
    }
    if (open.length === 0) {
      throw new Error("there is no open proposal");
    }
    if (open.length === 1) {
      return open[0];
    }
    const picked = await vscode.window.showQuickPick(
      open.map((proposal) => ({ label: proposal.title, proposal })),
      { title: "Which proposal?" },
    );
    return picked?.proposal;
  }

  async #undo(command: typeof commands.reviewUndo | typeof commands.reviewRedo, done: string): Promise<void> {
    const { decision } = await this.server.command(command, {});
    const said = decision === undefined ? "there is no decision to change" : `the last ${decision.action} is ${done}`;
    vscode.window.setStatusBarMessage(`Kkcode: ${said}`, 5000);
  }
}

/** Asks why something is rejected; undefined when the user backs out, no reason when the input is empty. */
async function askReason(what: string): Promise<{ reason?: string } | undefined> {
  const reason = await vscode.window.showInputBox({
    title: `Reject ${what}`,
    prompt: "Why? The agent is told at the start of its next turn. Leave it empty for no reason.",
  });
  return reason === undefined ? undefined : reason.trim() === "" ? {} : { reason: reason.trim() };
}

function reveal(editor: vscode.TextEditor, { lines }: PlacedHunk): void {
  const line = Math.min(lines.start, Math.max(0, editor.document.lineCount - 1));
  editor.selection = new vscode.Selection(line, 0, line, 0);
  editor.revealRange(new vscode.Range(line, 0, Math.min(lines.end, editor.document.lineCount), 0), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
