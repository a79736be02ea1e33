// Trust in the workspace, and documents that the server asks to be saved.
import * as vscode from "vscode";
import { type Server, act, notifications } from "./client";
import { requests } from "./protocol";

/** Tells the server when the user trusts the workspace, and saves what it asks for. */
export function registerTrust(server: Server): vscode.Disposable {
  server.answer(requests.documentSave, async ({ uri }) => {
    const wanted = vscode.Uri.parse(uri).toString();
    const document = vscode.workspace.textDocuments.find((document) => document.uri.toString() === wanted);
    return { saved: document !== undefined && (!document.isDirty || (await document.save())) };
  });
  return vscode.workspace.onDidGrantWorkspaceTrust(() => {
    for (const { uri } of vscode.workspace.workspaceFolders ?? []) {
      act(() => server.notify(notifications.trustDidChange, { uri: uri.toString(), trusted: true }));
    }
  });
}
