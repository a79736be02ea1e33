// Our virtual documents: the editable proposed side of a file, and texts that are only read.
import * as vscode from "vscode";
import type { Server } from "./client";
import { commands, requests } from "./protocol";
import type { Proposals } from "./proposals";
import { fileOf, virtualUri } from "./proposals";
import { schemes } from "./pure/documents";

/** `kkcode-edit:`: what a file would be, to be changed by the user. Saving it is the user's own version of the proposal. */
export class EditFileSystem implements vscode.FileSystemProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly #texts = new Map<string, { text: string; mtime: number }>();
  readonly onDidChangeFile = this.#changed.event;

  constructor(
    readonly server: Server,
    readonly proposals: Proposals,
  ) {
    proposals.onDidChange(() => {
      void this.#tellChanges();
    });
  }

  dispose(): void {
    this.#changed.dispose();
  }

  watch(uri: vscode.Uri): vscode.Disposable {
    return new vscode.Disposable(() => this.#texts.delete(uri.toString()));
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const { text, mtime } = await this.#read(uri);
    return { type: vscode.FileType.File, ctime: 0, mtime, size: Buffer.byteLength(text) };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return new TextEncoder().encode((await this.#read(uri)).text);
  }

  async writeFile(uri: vscode.Uri, content: Uint8Array): Promise<void> {
    const { file, proposalId } = fileOf(uri);
    if (proposalId === undefined) {
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    const text = new TextDecoder().decode(content);
    const params = { proposalId, uri: file.toString(), text };
    try {
      await this.server.command(commands.proposalEdit, params);
    } catch (error) {
      throw vscode.FileSystemError.Unavailable(error instanceof Error ? error.message : String(error));
    }
    this.#texts.set(uri.toString(), { text, mtime: Date.now() });
  }

  readDirectory(uri: vscode.Uri): [string, vscode.FileType][] {
    throw vscode.FileSystemError.FileNotADirectory(uri);
  }

  createDirectory(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  /** Reads a text; its time is another only when its content is. */
  async #read(uri: vscode.Uri): Promise<{ text: string; mtime: number }> {
    const { file, proposalId } = fileOf(uri);
    if (proposalId === undefined) {
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    const source = virtualUri(schemes.proposed, proposalId, file);
    let text: string;
    try {
      ({ text } = await this.server.request(requests.proposalContent, { uri: source.toString() }));
    } catch (error) {
      throw vscode.FileSystemError.Unavailable(error instanceof Error ? error.message : String(error));
    }
    const known = this.#texts.get(uri.toString());
    const read = known?.text === text ? known : { text, mtime: Date.now() };
    this.#texts.set(uri.toString(), read);
    return read;
  }

  async #tellChanges(): Promise<void> {
    const open = vscode.workspace.textDocuments.filter(({ uri }) => uri.scheme === schemes.edit);
    for (const { uri } of open) {
      const before = this.#texts.get(uri.toString());
      try {
        const now = await this.#read(uri);
        if (before !== now) {
          this.#changed.fire([{ type: vscode.FileChangeType.Changed, uri }]);
        }
      } catch {
        // Its proposal is decided or the server is away; what is on the screen stays.
      }
    }
  }
}

/** Documents that are only read, with texts of ours: commands in full, reports, replies. */
export class Texts implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #texts = new Map<string, string>();
  readonly onDidChange = this.#changed.event;

  constructor(readonly scheme: string) {}

  dispose(): void {
    this.#changed.dispose();
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.path) ?? "";
  }

  /** Sets a text; an editor that shows it follows. The name's ending says the language. */
  set(name: string, text: string): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: this.scheme, path: `/${name}` });
    if (this.#texts.get(uri.path) !== text) {
      this.#texts.set(uri.path, text);
      this.#changed.fire(uri);
    }
    return uri;
  }

  /** Shows a text beside what the user works on, without taking the focus. */
  async show(name: string, text: string, options: { takeFocus?: boolean; stays?: boolean } = {}): Promise<void> {
    const uri = this.set(name, text);
    const document = await vscode.workspace.openTextDocument(uri);
    // A change that came while the document was being opened is not heard by VS Code.
    if (document.getText() !== this.#texts.get(uri.path)) {
      this.#changed.fire(uri);
    }
    await vscode.window.showTextDocument(document, {
      // What is asked for comes in front, what follows something comes beside it.
      viewColumn: options.takeFocus === true ? vscode.ViewColumn.Active : vscode.ViewColumn.Beside,
      preserveFocus: options.takeFocus !== true,
      preview: options.stays !== true,
    });
  }
}
