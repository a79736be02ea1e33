// The names of our virtual documents: `<scheme>:/<proposal>/<path of the file>`.

/** The scheme of each kind of virtual document. */
export const schemes = { base: "kkcode-base", proposed: "kkcode-proposed", edit: "kkcode-edit", turn: "kkcode-turn", text: "kkcode-text" } as const;

/** Returns the path of a file's virtual document, not percent-encoded. */
export function virtualPath(proposalId: string, filePath: string): string {
  return `/${proposalId}${filePath.startsWith("/") ? "" : "/"}${filePath}`;
}

/** Takes a virtual document's path apart; undefined if it is none. */
export function parsePath(path: string): { proposalId: string; filePath: string } | undefined {
  const match = /^\/([^/]+)(\/.+)$/s.exec(path);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { proposalId: match[1], filePath: match[2] };
}
