import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Fault, setting } from "./doctor-fault.ts";
import { startSecretServer } from "./secret-server.ts";

export const SETTING_FAULTS: readonly Fault[] = [
  setting("a slip in a name", { ARCHIVER_DELET: "never" }, [
    "setting-names",
    "broken",
    "Did you mean ARCHIVER_DELETE?",
  ]),
  setting("a word for a number", { ARCHIVER_PRESSURE: "many" }, [
    "setting-values",
    "broken",
    "a number from 0 to 50",
  ]),
  setting("no project", { ARCHIVER_IOTDA_PROJECT_ID: undefined }, [
    "setting-values",
    "broken",
    "project id shown under",
  ]),
  setting(
    "quiet messages without a heartbeat",
    { ARCHIVER_NOTIFY_ON: "problems", ARCHIVER_HEARTBEAT_URL: undefined },
    ["quiet-mode", "broken", "Set ARCHIVER_HEARTBEAT_URL"],
  ),
  setting("a policy that is not there", { ARCHIVER_RETENTION_POLICY: "file:///nowhere/policy.json" }, [
    "documents",
    "broken",
    "Put the document there",
  ]),
  setting("a list of expected exports that is none", { ARCHIVER_EXPECT: '{"rules":[{"nmae":"nightly"}]}' }, [
    "documents",
    "broken",
    /./,
  ]),
  {
    fault: "keys that everybody can read",
    check: "settings-file",
    status: "hurts",
    remedy: "chmod 600",
    put: (lab) => chmod(lab.envFile, 0o644),
  },
  {
    fault: "a policy with an unknown field",
    check: "documents",
    status: "broken",
    remedy: /./,
    async put(lab) {
      const file = join(lab.folder, "policy.json");
      await writeFile(file, '{"schemaVersion":1,"default":{"keepDays":"forever"},"rule":[]}');
      await lab.writeSettings({ ARCHIVER_RETENTION_POLICY: `file://${file}` });
    },
  },
  {
    fault: "a secret of the access key that does not exist",
    check: "secrets",
    status: "broken",
    remedy: "id or ARN of a secret",
    async put(lab, context) {
      const { endpoint } = await startSecretServer(context);
      await lab.writeSettings({
        ARCHIVER_CREDENTIALS_SECRET: "it",
        HUAWEICLOUD_SDK_AK: undefined,
        HUAWEICLOUD_SDK_SK: undefined,
      });
      lab.environment = { AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint };
    },
  },
];
