// Reads one stream with Anthropic's own library, over a connection and from memory, and prints how many seconds each took:
// sdk.mjs FOLDER_OF_THE_LIBRARY URL
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";

const [folder, baseURL] = process.argv.slice(2);
const { default: Anthropic } = createRequire(join(folder, "package.json"))("@anthropic-ai/sdk");
const online = new Anthropic({ apiKey: "none", baseURL, maxRetries: 0 });

const bytes = await (await fetch(`${baseURL}/v1/messages`, { method: "POST", body: "{}" })).bytes();
const PIECE = 16 * 1024;
const pieces = [];
for (let at = 0; at < bytes.length; at += PIECE) pieces.push(bytes.subarray(at, at + PIECE));
const headers = { "content-type": "text/event-stream" };
const answer = async () => new Response(ReadableStream.from(pieces), { headers });
const offline = new Anthropic({ apiKey: "none", baseURL, maxRetries: 0, fetch: answer });

async function read(client) {
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
for (const client of [online, offline]) await read(client);
console.log(await read(online), await read(offline));
