// What happened while this window was away, or its server: the durable events since, told once.
import * as vscode from "vscode";
import { type Server, act, ifThere, notifications } from "./client";
import { type EventsSinceResult, requests } from "./protocol";

/** Where the events stand that this workspace has seen. */
const SEEN = "kkcode.seenSeq";

/** Some of what was missed. */
export interface Missed extends EventsSinceResult {
  /** Whether nothing more comes. */
  isLast: boolean;
  /** Whether the workspace was looked at before; if not, all of it is history and no news. */
  isNews: boolean;
}

/** Asks for what was missed, with each start of a server. */
export class Replay implements vscode.Disposable {
  readonly #missed = new vscode.EventEmitter<Missed>();
  #seen: number;

  /** Fires for up to 1,000 events at a time, oldest first, and at least once for each start. */
  readonly onDidMiss = this.#missed.event;

  constructor(
    readonly context: vscode.ExtensionContext,
    readonly server: Server,
  ) {
    this.#seen = context.workspaceState.get(SEEN, 0);
    for (const name of [notifications.turnDidFinish, notifications.taskDidChange] as const) {
      server.on(name, ({ seq }) => {
        this.#seenUpTo(seq);
      });
    }
    server.onDidStart(() => {
      act(() => this.#ask());
    });
  }

  dispose(): void {
    this.#missed.dispose();
  }

  async #ask(): Promise<void> {
    const isNews = this.#seen > 0;
    for (let from = this.#seen, isLast = false; !isLast; ) {
      const page = await ifThere(this.server, () => this.server.request(requests.eventsSince, { seq: from }));
      isLast = page === undefined || page.events.length === 0;
      this.#missed.fire({ events: page?.events ?? [], turns: page?.turns ?? [], nextSeq: page?.nextSeq ?? from, isLast, isNews });
      from = page?.nextSeq ?? from;
      this.#seenUpTo(from);
    }
  }

  #seenUpTo(seq: number): void {
    if (seq > this.#seen) {
      this.#seen = seq;
      void this.context.workspaceState.update(SEEN, seq);
    }
  }
}
