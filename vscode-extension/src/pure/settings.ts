// Which settings count: what widens permission or names a program or an endpoint is the user's alone.
import type { InitializationOptions, Level } from "../protocol";

/** The values that VS Code found for one setting, by where they stand. */
export interface Inspection<T> {
  defaultValue?: T;
  globalValue?: T;
  workspaceValue?: T;
  workspaceFolderValue?: T;
}

/** Returns the user's own value, or the default. A workspace's value is never read, whatever its scope says. */
export function userValue<T>(inspection: Inspection<T> | undefined): T | undefined {
  return inspection?.globalValue ?? inspection?.defaultValue;
}

const LEVELS: readonly Level[] = ["readonly", "manual", "accept-edits", "yolo"];

/** Returns the permission level that a setting names, or undefined for kkcode's own. */
export function levelOf(setting: string | undefined): Level | undefined {
  return LEVELS.find((level) => level === setting);
}

/** Returns what the server is told when it starts. */
export function initializationOptions(
  settings: { config: Record<string, unknown> | undefined; home: string | undefined },
  trusted: boolean,
): InitializationOptions {
  const options: InitializationOptions = { trusted };
  if (settings.config !== undefined && Object.keys(settings.config).length > 0) {
    options.config = settings.config;
  }
  if (settings.home !== undefined && settings.home !== "") {
    options.home = settings.home;
  }
  return options;
}
