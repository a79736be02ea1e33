// Bundles the extension into dist/extension.js, and with `--tests` each unit test into dist/test.
import { readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const common = { bundle: true, platform: "node", target: "node20", logLevel: "warning" };
if (process.argv.includes("--tests")) {
  rmSync("dist/test", { recursive: true, force: true });
  const entryPoints = readdirSync("src/pure").filter((file) => file.endsWith(".test.ts")).map((file) => `src/pure/${file}`);
  await build({ ...common, entryPoints, outdir: "dist/test", outExtension: { ".js": ".cjs" }, format: "cjs" });
} else {
  await build({
    ...common,
    entryPoints: ["src/extension.ts"],
    outfile: "dist/extension.js",
    format: "cjs",
    external: ["vscode"],
    minify: process.argv.includes("--minify"),
    sourcemap: process.argv.includes("--minify") ? false : "linked",
  });
}
