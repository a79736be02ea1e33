// The Proposals view: each open proposal with its files, and a badge that counts what waits.
import * as vscode from "vscode";
import type { Proposals } from "./proposals";
import type { FileName } from "./review";
import { isUndecided } from "./pure/hunks";
import { counted, shortened } from "./pure/words";

/** The rows of the view. */
class Rows implements vscode.TreeDataProvider<FileName> {
  readonly onDidChangeTreeData: vscode.Event<undefined>;

  constructor(readonly proposals: Proposals) {
    const changed = new vscode.EventEmitter<undefined>();
    proposals.onDidChange(() => {
      changed.fire(undefined);
    });
    this.onDidChangeTreeData = changed.event;
  }

  getChildren(parent?: FileName): FileName[] {
    if (parent === undefined) {
      return this.proposals.all().map(({ proposalId }) => ({ proposalId }));
    }
    const files = this.proposals.get(parent.proposalId)?.files ?? [];
    return files.filter(({ hunks }) => hunks.some(isUndecided)).map(({ uri }) => ({ proposalId: parent.proposalId, uri }));
  }

  getTreeItem({ proposalId, uri }: FileName): vscode.TreeItem {
    const proposal = this.proposals.get(proposalId);
    if (uri === undefined) {
      const item = new vscode.TreeItem(shortened(proposal?.title ?? proposalId), vscode.TreeItemCollapsibleState.Expanded);
      const count = proposal?.files.flatMap(({ hunks }) => hunks).filter(isUndecided).length ?? 0;
      item.id = proposalId;
      item.description = counted(count, "hunk");
      item.tooltip = proposal?.title ?? proposalId;
      item.contextValue = "proposal";
      item.iconPath = new vscode.ThemeIcon("git-pull-request");
      return item;
    }
    const file = proposal?.files.find((file) => file.uri === uri);
    const hunks = file?.hunks.filter(isUndecided) ?? [];
    const stale = hunks.filter(({ state }) => state === "stale").length;
    const item = new vscode.TreeItem(vscode.Uri.parse(uri), vscode.TreeItemCollapsibleState.None);
    const kind = file?.kind === undefined || file.kind === "modify" ? "" : `${file.kind}, `;
    item.id = `${proposalId} ${uri}`;
    item.description = `${kind}${counted(hunks.length, "hunk")}${stale > 0 ? `, ${stale} stale` : ""}`;
    item.contextValue = "file";
    item.iconPath = vscode.ThemeIcon.File;
    item.command = { title: "Show Proposed Changes", command: "kkcode.ui.file.diff", arguments: [{ proposalId, uri }] };
    return item;
  }
}

/** Registers the view. */
export function registerProposalsView(proposals: Proposals): vscode.Disposable {
  const view = vscode.window.createTreeView("kkcode.proposals", { treeDataProvider: new Rows(proposals), showCollapseAll: true });
  const count = proposals.onDidChange(() => {
    const waiting = proposals.all().flatMap(({ files }) => files.flatMap(({ hunks }) => hunks.filter(isUndecided))).length;
    view.badge = waiting === 0 ? undefined : { value: waiting, tooltip: `${counted(waiting, "hunk")} to review` };
  });
  return vscode.Disposable.from(view, count);
}
