// Reads one stream with Anthropic's own library and prints how many seconds that took: sdk.mjs FOLDER_OF_THE_LIBRARY URL
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";

const [folder, baseURL] = process.argv.slice(2);
const { default: Anthropic } = createRequire(join(folder, "package.json"))("@anthropic-ai/sdk");
const client = new Anthropic({ apiKey: "none", baseURL, maxRetries: 0 });

async function read() {
  const started = process.hrtime.bigint();
  const stream = await client.messages.create({
    model: "m",
    max_tokens: 1,
    messages: [{ role: "user", content: "go" }],
    stream: true,
  });
  let events = 0;
  for await (const event of stream) events += event.type === "content_block_delta" ? 1 : 0;
  if (events === 0) throw new Error("nothing came");
  return Number(process.hrtime.bigint() - started) / 1e9;
}

// The first time its code is compiled, which is not what is compared.
await read();
console.log(await read());
