// Tests that names of virtual documents are read as they are written.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePath, virtualPath } from "./documents";

test("a path is read as it is written", () => {
  for (const filePath of ["/home/me/a b.txt", "/c:/me/ä%20.txt"]) {
    assert.deepEqual(parsePath(virtualPath("prop_1", filePath)), { proposalId: "prop_1", filePath });
  }
  assert.equal(virtualPath("p", "c:/x"), "/p/c:/x");
});

test("what is no document of ours is not read as one", () => {
  assert.equal(parsePath("/only"), undefined);
  assert.equal(parsePath(""), undefined);
});
