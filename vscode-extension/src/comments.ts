// Comments on hunks, written into the editor and sent to the agent as one round.
import * as vscode from "vscode";
import { type Server, registerCommands } from "./client";
import { commands } from "./protocol";
import type { Proposals } from "./proposals";
import { fileOf } from "./proposals";
import { schemes } from "./pure/documents";
import { counted } from "./pure/words";

/** A comment that is kept by the server until the review is sent. */
class Draft implements vscode.Comment {
  readonly author = { name: "You" };
  readonly mode = vscode.CommentMode.Preview;
  readonly label = "kept for the next turn";

  constructor(readonly body: string) {}
}

/** The comments of this window. */
export class Comments implements vscode.Disposable {
  readonly #controller = vscode.comments.createCommentController("kkcode", "Kkcode review");
  readonly #threads = new Map<vscode.CommentThread, string>();

  constructor(
    context: vscode.ExtensionContext,
    readonly server: Server,
    readonly proposals: Proposals,
    readonly turnStarted: (turnId: string, prompt: string) => void,
  ) {
    this.#controller.options = { prompt: "Comment on this hunk", placeHolder: "What should the agent do differently?" };
    this.#controller.commentingRangeProvider = {
      provideCommentingRanges: (document) =>
        document.uri.scheme === schemes.base
          ? []
          : proposals.in(document.uri).map(({ lines }) => new vscode.Range(lines.start, 0, Math.max(lines.end - 1, lines.start), 0)),
    };
    registerCommands(context, {
      "comment.add": (reply: vscode.CommentReply) => this.#add(reply),
      "hunk.comment": () => {
        this.#ask();
      },
      "review.send": (name?: { proposalId: string }) => this.#send(name),
    });
  }

  dispose(): void {
    this.#controller.dispose();
  }

  /** Takes a comment; what the server refuses stays in the thread's input. */
  async #add({ thread, text }: vscode.CommentReply): Promise<void> {
    const line = thread.range?.start.line ?? 0;
    const here = this.proposals.at(thread.uri, line);
    if (here === undefined) {
      throw new Error("there is no hunk here any more; the comment is not lost, copy it from the input");
    }
    const { proposalId } = here.proposal;
    const uri = fileOf(thread.uri).file.toString();
    await this.server.command(commands.reviewComment, { proposalId, uri, hunkId: here.hunk.hunkId, text });
    thread.comments = [...thread.comments, new Draft(text)];
    thread.label = "Comment on a hunk";
    thread.canReply = true;
    this.#threads.set(thread, proposalId);
  }

  #ask(): void {
    const editor = vscode.window.activeTextEditor;
    const here = editor && this.proposals.at(editor.document.uri, editor.selection.active.line);
    if (editor === undefined || here === undefined) {
      throw new Error("there is no hunk under the cursor: “Kkcode: Next Hunk” goes to one");
    }
    const range = new vscode.Range(here.lines.start, 0, Math.max(here.lines.end - 1, here.lines.start), 0);
    const thread = this.#controller.createCommentThread(editor.document.uri, range, []);
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
  }

  async #send(name: { proposalId: string } | undefined): Promise<void> {
    const proposalId = name?.proposalId ?? [...this.#threads.values()][0] ?? this.proposals.all()[0]?.proposalId;
    if (proposalId === undefined) {
      throw new Error("there is no review to send: no proposal is open");
    }
    const { turnId } = await this.server.command(commands.reviewSend, { proposalId });
    let sent = 0;
    for (const [thread, of] of this.#threads) {
      if (of === proposalId) {
        sent += thread.comments.length;
        this.#threads.delete(thread);
        thread.dispose();
      }
    }
    this.turnStarted(turnId, `Review with ${counted(sent, "comment")}`);
  }
}
