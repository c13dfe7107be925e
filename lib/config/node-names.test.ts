import { expect, test } from "vitest";
import { readConfiguration } from "./configuration.ts";
import { problemsOfNodeNames } from "./node-names.ts";

const FILE = '--config "/etc/archiver.env"';
const noPart = new Set<never>();

test("an environment in which no certificate is checked is refused, whatever the command needs", () => {
  const read = () => readConfiguration({ NODE_TLS_REJECT_UNAUTHORIZED: "0" }, noPart);
  expect(read).toThrow(/NODE_TLS_REJECT_UNAUTHORIZED: is 0.*Remove it\..*export NODE_EXTRA_CA_CERTS/);
});

test.each([undefined, "", "1", "00", "false"])(
  "NODE_TLS_REJECT_UNAUTHORIZED=%s switches nothing off",
  (value) => {
    expect(() => readConfiguration({ NODE_TLS_REJECT_UNAUTHORIZED: value }, noPart)).not.toThrow();
  },
);

test.each(["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "NODE_USE_SYSTEM_CA", "SSL_CERT_FILE"])(
  "%s in a file is said to have no effect there, its value not shown",
  (name) => {
    expect(problemsOfNodeNames(FILE, { [name]: "s3cr3t" }, {})).toEqual([
      {
        name: `${FILE}, ${name}`,
        problem: "has no effect there, since Node reads it before any file of settings",
        fix: "Remove it from the file; export it in the environment before the start.",
      },
    ]);
    expect(problemsOfNodeNames(FILE, { [name]: "s3cr3t" }, { [name]: "another" })).toHaveLength(1);
  },
);

test("in a file that the environment was made from as well, as systemd does, it has its effect", () => {
  const both = { NODE_EXTRA_CA_CERTS: "/etc/our-authority.pem" };
  expect(problemsOfNodeNames(FILE, both, both)).toEqual([]);
  expect(problemsOfNodeNames(FILE, { NODE_EXTRA_CA_CERTS: "" }, {})).toEqual([]);
});

test("no message tells a user to export what switches the check of certificates off", () => {
  const [problem, ...more] = problemsOfNodeNames(FILE, { NODE_TLS_REJECT_UNAUTHORIZED: "0" }, {});
  expect(problem?.fix).toMatch(/^Remove it\. Certificates are always checked/);
  expect(more).toEqual([]);
});
