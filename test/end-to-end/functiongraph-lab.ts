import { copyFile, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { buildForFunctionGraph } from "../../build.ts";
import {
  type DeployedFunction,
  type FunctionGraphStandIn,
  type FunctionInput,
  startFunctionGraph,
} from "../../sandbox/functiongraph/start.ts";
import { type CloudLab, type CloudLabOptions, openCloudLab } from "./cloud-lab.ts";
import { ROOT } from "./command-line.ts";
import { ACCOUNT } from "./lab.ts";

export type Code = Parameters<typeof startFunctionGraph>[0]["code"];

/** Minutes: limits that no test is to meet. */
const LONG_SECONDS = 1_800;

/** What the deployed functions are, on a stack of Huawei Cloud alone (deploy/huawei). */
export interface HuaweiLab {
  readonly lab: CloudLab;
  readonly graph: FunctionGraphStandIn;
  deploy(name: string, changes?: Partial<FunctionInput>): DeployedFunction;
}

/** The content of the package with the Node of this process, which need not be packed first. */
export async function unpackedCode({ onTestFinished }: Pick<TestContext, "onTestFinished">): Promise<Code> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-huawei-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await copyFile(join(ROOT, "lib/functiongraph/bootstrap"), join(folder, "bootstrap"));
  await symlink(process.execPath, join(folder, "node"));
  await buildForFunctionGraph(ROOT, join(folder, "main.mjs"));
  return { folder };
}

/** A platform, a bucket as OBS has it, and FunctionGraph, whose keys both of them check with their token. */
export async function openHuaweiLab(
  context: Pick<TestContext, "onTestFinished">,
  code: Code,
  { settings = {}, ...options }: Pick<CloudLabOptions, "intervalMs" | "apart" | "settings" | "begun">,
): Promise<HuaweiLab> {
  const lab = await openCloudLab(context, {
    s3: { profile: "obs" },
    storeProfile: "obs",
    settings: { ARCHIVER_QUEUE: "store:", ARCHIVER_DEAD_LETTER_QUEUE: undefined, ...settings },
    ...options,
  });
  const { server } = lab.bucket;
  const graph = await startFunctionGraph({
    code,
    async tellKeys(valid) {
      // An operator's own keys go on beside those of the agency.
      const ofPlatform = valid.map(({ accessKeyId: ak, secretAccessKey: sk, securityToken }) => ({
        ak,
        sk,
        securityToken,
      }));
      const ofStore = valid.map(({ securityToken: sessionToken, ...keys }) => ({ ...keys, sessionToken }));
      await lab.control.changeSettings({ accounts: [ACCOUNT, ...ofPlatform] });
      await server.control.changeSettings({ accounts: [server.account, ...ofStore] });
    },
  });
  context.onTestFinished(() => graph.stop());
  const {
    HUAWEICLOUD_SDK_AK: _ak,
    HUAWEICLOUD_SDK_SK: _sk,
    AWS_ENDPOINT_URL_SQS: _sqs,
    ...shared
  } = lab.settings;
  const userData = {
    ...shared,
    ARCHIVER_PLATFORM_CREDENTIALS: "agency",
    ARCHIVER_STORE_CREDENTIALS: "agency",
  };
  return {
    lab,
    graph,
    deploy: (name, { userData: more, ...changes } = {}) =>
      graph.deploy({
        name,
        handler: `${name}.handler`,
        timeoutSeconds: LONG_SECONDS,
        memoryMb: 512,
        maxInstances: 1,
        userData: { ...userData, ...more },
        ...changes,
      }),
  };
}

/** What the audits look at: the queue lies in the bucket too. */
export async function auditedLab({ control, bucket }: CloudLab) {
  const [messages, letters] = await Promise.all([
    bucket.keys("queue/messages/"),
    bucket.keys("queue/dead-letters/"),
  ]);
  const bodies = letters.map((key) => ({ body: key }));
  return { control, store: bucket, queue: { messages: () => messages, letters: () => bodies } };
}
