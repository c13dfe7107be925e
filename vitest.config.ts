import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // One worker per core: the default leaves one idle, half of a machine with two.
    maxWorkers: "100%",
    include: ["{lib,functions,sandbox,test}/**/*.test.ts"],
    coverage: {
      provider: "v8",
      include: ["lib/**/*.ts"],
      exclude: ["**/*.test.ts"],
    },
  },
});
