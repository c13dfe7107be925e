import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { nodeVersionProblem, OLDEST_NODE } from "./process.ts";

test.each(["24.17.0", "24.21.0", "25.0.0", "100.0.0"])("Node %s runs it", (version) => {
  expect(nodeVersionProblem(version)).toBeUndefined();
});

test.each(["22.12.9", "20.20.2", "18.0.0", "9.99.0"])("Node %s is told what to install", (version) => {
  expect(nodeVersionProblem(version)).toContain(`needs Node 24.17 or newer, but this is Node ${version}`);
});

test("is the version package.json asks for", async () => {
  const manifest: unknown = JSON.parse(
    await readFile(new URL("../../package.json", import.meta.url), "utf8"),
  );
  expect(manifest).toMatchObject({ engines: { node: `>=${OLDEST_NODE.major}.${OLDEST_NODE.minor}` } });
});
