import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{lib,functions,sandbox,test}/**/*.test.ts"],
    coverage: {
      provider: "v8",
      include: ["lib/**/*.ts"],
      exclude: ["**/*.test.ts"],
    },
  },
});
