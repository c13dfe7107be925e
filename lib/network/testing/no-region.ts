import { onTestFinished, vi } from "vitest";

/** Nothing around this test names a region that the AWS SDK would find. */
export function withoutRegion(): void {
  for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"]) {
    vi.stubEnv(name, undefined);
  }
  for (const name of ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]) {
    vi.stubEnv(name, "/nowhere");
  }
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}
