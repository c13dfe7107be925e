import { startTls } from "../../lib/network/testing/tls-server.ts";
import type { FaultRuleInput } from "../../sandbox/faults.ts";
import { type Fault, NO_SERVER, setting } from "./doctor-fault.ts";
import type { DoctorLab } from "./doctor-lab.ts";
import { finishedExports } from "./lab.ts";

const OTHER_KEY = "labOtherSecretKey0123456789abcdefghijklmno";

/** The platform refuses an operation. */
function refused(operation: FaultRuleInput["operation"], status: number, code: string): Fault["put"] {
  return (lab) => lab.control.scriptFaults({ operation, fault: { kind: "status", status, code } });
}

function clockAhead(ms: number): Fault["put"] {
  return (lab) => lab.control.changeSettings({ dateSkewMs: -ms });
}

/** Everything that is not the platform is reached without the proxy. */
function throughProxy(proxy: string): Fault["put"] {
  return (lab: DoctorLab) => lab.writeSettings({ HTTP_PROXY: proxy, NO_PROXY: new URL(lab.heartbeat).host });
}

const CLOCK = "Correct this machine's clock";

export const PLATFORM_FAULTS: readonly Fault[] = [
  setting("nothing listens there", { ARCHIVER_IOTDA_ENDPOINT: NO_SERVER }, [
    "platform-connection",
    "broken",
    "Check ARCHIVER_IOTDA_ENDPOINT",
  ]),
  setting(
    "the name does not resolve",
    {
      ARCHIVER_IOTDA_ENDPOINT: "https://iotda.cn-north-4.invalid",
      ARCHIVER_IOTDA_REGION: "cn-north-4",
      ARCHIVER_DOWNLOAD_INTERVAL_MS: undefined,
    },
    ["platform-connection", "broken", "ARCHIVER_IOTDA_ENDPOINT"],
  ),
  {
    fault: "a certificate of an unknown authority",
    check: "platform-connection",
    status: "broken",
    remedy: "NODE_EXTRA_CA_CERTS",
    async put(lab) {
      const { port } = await startTls((socket) => socket.destroy());
      await lab.writeSettings({ ARCHIVER_IOTDA_ENDPOINT: `https://localhost:${port}` });
    },
  },
  {
    fault: "the proxy is down",
    check: "platform-connection",
    status: "broken",
    remedy: "HTTPS_PROXY",
    put: throughProxy(NO_SERVER),
  },
  setting("the secret key is another one", { HUAWEICLOUD_SDK_SK: OTHER_KEY }, [
    "platform-list",
    "broken",
    "Check the access key",
  ]),
  {
    fault: "the signature does not fit the host",
    check: "platform-signing",
    status: "broken",
    remedy: "ARCHIVER_IOTDA_SIGNING",
    async put(lab) {
      await lab.control.changeSettings({ requireSigning: "standard" });
      await lab.writeSettings({ ARCHIVER_IOTDA_SIGNING: "derived", ARCHIVER_IOTDA_REGION: "cn-north-4" });
    },
  },
  {
    fault: "the key may not list",
    check: "platform-list",
    status: "broken",
    remedy: "iotda:exporttasks:queryList",
    put: refused("listExportTasks", 403, "IOTDA.000021"),
  },
  {
    fault: "a 403 with a code that is not documented",
    check: "platform-list",
    status: "broken",
    remedy: "iotda:exporttasks:queryList",
    put: refused("listExportTasks", 403, "IOTDA.077777"),
  },
  {
    fault: "the address knows no export tasks",
    check: "platform-list",
    status: "broken",
    remedy: "Check ARCHIVER_IOTDA_ENDPOINT",
    put: refused("listExportTasks", 404, "APIGW.0101"),
  },
  {
    fault: "the clock is 90 s ahead",
    check: "platform-clock",
    status: "hurts",
    remedy: CLOCK,
    put: clockAhead(90_000),
  },
  {
    fault: "the clock is 6 min behind",
    check: "platform-clock",
    status: "broken",
    remedy: CLOCK,
    put: clockAhead(-6 * 60_000),
  },
  {
    fault: "the clock is 20 min ahead",
    check: "platform-list",
    status: "broken",
    remedy: CLOCK,
    put: clockAhead(20 * 60_000),
  },
  {
    fault: "45 of 50 export slots are used",
    check: "platform-places",
    status: "hurts",
    remedy: "iotda-archiver run",
    put: (lab) => lab.control.addTasks(finishedExports(45, { createTime: "2026-11-21T01:00:00.000Z" })),
  },
  {
    fault: "the key may not delete",
    check: "platform-delete",
    status: "hurts",
    remedy: "iotda:exporttasks:delete",
    put: refused("deleteExportTask", 403, "IOTDA.000021"),
  },
];
