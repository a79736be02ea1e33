// Texts of others inside Markdown of ours.

/** Puts a text between fences that are longer than any row of backticks in it. */
export function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** Moves each line to the right, so that a block belongs to the item of a list above it. */
export function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}
