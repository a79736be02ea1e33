// What this window knows of the open proposals: their hunks, and where those stand as the user types.
import * as vscode from "vscode";
import { type Server, act, notifications } from "./client";
import { type Hunk, type Proposal, type ProposalFile, commands } from "./protocol";
import { parsePath, schemes, virtualPath } from "./pure/documents";
import { type Lines, isUndecided, linesOf, onProposedSide, shifted } from "./pure/hunks";

/** How long after typing the server is asked where the hunks are now, in milliseconds. */
const ASK_AGAIN_AFTER = 200;

/** An undecided hunk in a document, which is its file or what that would be. */
export interface PlacedHunk {
  proposal: Proposal;
  file: ProposalFile;
  hunk: Hunk;
  /** Its lines in that document. */
  lines: Lines;
}

/** The open proposals of the workspace. */
export class Proposals implements vscode.Disposable {
  readonly #open = new Map<string, Proposal>();
  readonly #asked = new Map<string, { again: boolean }>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscriptions: vscode.Disposable[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** Fires when hunks or their states are others than before, and when they moved. */
  readonly onDidChange = this.#changed.event;

  constructor(readonly server: Server) {
    server.on(notifications.proposalDidChange, ({ proposalId }) => {
      act(() => this.#fetch(proposalId));
    });
    this.#subscriptions.push(
      server.onDidStart(() => {
        act(() => this.#fetchAll());
      }),
      server.onDidStop(() => {
        this.#open.clear();
        this.#changed.fire();
      }),
      vscode.workspace.onDidChangeTextDocument((event) => {
        this.#follow(event);
      }),
    );
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) {
      subscription.dispose();
    }
    this.#changed.dispose();
  }

  /** All open proposals. */
  all(): Proposal[] {
    return [...this.#open.values()];
  }

  /** Returns an open proposal. */
  get(proposalId: string): Proposal | undefined {
    return this.#open.get(proposalId);
  }

  /** Returns the undecided hunks of a document, from top to bottom. */
  in(uri: vscode.Uri): PlacedHunk[] {
    const { file: wanted, proposalId, isProposedSide } = fileOf(uri);
    const placed = this.all().flatMap((proposal) =>
      proposalId !== undefined && proposal.proposalId !== proposalId
        ? []
        : proposal.files
            .filter((file) => sameFile(vscode.Uri.parse(file.uri), wanted))
            .flatMap((file) => placedIn(proposal, file, isProposedSide)),
    );
    return placed.sort((a, b) => a.lines.start - b.lines.start);
  }

  /** Returns the hunk at a line of a document. */
  at(uri: vscode.Uri, line: number): PlacedHunk | undefined {
    const placed = this.in(uri);
    return placed.find(({ lines }) => lines.start <= line && line < Math.max(lines.end, lines.start + 1));
  }

  /** Asks the server again for a proposal. */
  async refresh(proposalId: string): Promise<void> {
    await this.#fetch(proposalId);
  }

  async #fetchAll(): Promise<void> {
    const { proposals } = await this.server.command(commands.proposalList, { state: "open" });
    await Promise.all(proposals.map(async ({ proposalId }) => this.#fetch(proposalId)));
    this.#changed.fire();
  }

  /** Asks for a proposal; while an answer is on its way the next one is asked for once, behind it. */
  async #fetch(proposalId: string): Promise<void> {
    const running = this.#asked.get(proposalId);
    if (running !== undefined) {
      running.again = true;
      return;
    }
    const asked = { again: false };
    this.#asked.set(proposalId, asked);
    try {
      do {
        asked.again = false;
        const proposal = await this.server.command(commands.proposalShow, { proposalId });
        if (proposal.files.some((file) => file.hunks.some(isUndecided))) {
          this.#open.set(proposalId, proposal);
        } else {
          this.#open.delete(proposalId);
        }
        this.#changed.fire();
        // The notification handlers run while this waits.
      } while (asked.again as boolean);
    } finally {
      this.#asked.delete(proposalId);
    }
  }

  /** Moves hunks with what is typed at once, and asks the server soon, which knows better. */
  #follow({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    let isOurs = false;
    for (const proposal of this.all()) {
      for (const file of proposal.files.filter((file) => sameFile(vscode.Uri.parse(file.uri), document.uri))) {
        isOurs = true;
        for (const hunk of file.hunks) {
          hunk.range = contentChanges.reduce((range, change) => shifted(range, change), hunk.range);
        }
      }
    }
    if (isOurs && contentChanges.length > 0) {
      this.#changed.fire();
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        const ids = new Set(this.in(document.uri).map(({ proposal }) => proposal.proposalId));
        for (const id of ids) {
          act(() => this.#fetch(id));
        }
      }, ASK_AGAIN_AFTER);
    }
  }
}

/** Returns the file that a document is about, the document itself if it is none of ours. */
export function fileOf(uri: vscode.Uri): { file: vscode.Uri; proposalId: string | undefined; isProposedSide: boolean } {
  const isProposedSide = uri.scheme === schemes.edit || uri.scheme === schemes.proposed;
  const parsed = isProposedSide || uri.scheme === schemes.base ? parsePath(uri.path) : undefined;
  return parsed === undefined
    ? { file: uri, proposalId: undefined, isProposedSide: false }
    : { file: vscode.Uri.file(parsed.filePath), proposalId: parsed.proposalId, isProposedSide };
}

/** Returns a file's virtual document. */
export function virtualUri(scheme: string, proposalId: string, file: vscode.Uri): vscode.Uri {
  return vscode.Uri.from({ scheme, path: virtualPath(proposalId, file.path) });
}

function placedIn(proposal: Proposal, file: ProposalFile, isProposedSide: boolean): PlacedHunk[] {
  const places = isProposedSide ? onProposedSide(file.hunks) : undefined;
  return file.hunks
    .filter(isUndecided)
    .map((hunk) => ({ proposal, file, hunk, lines: places?.get(hunk.hunkId) ?? linesOf(hunk.range) }));
}

function sameFile(a: vscode.Uri, b: vscode.Uri): boolean {
  return a.scheme === b.scheme && a.fsPath === b.fsPath;
}
