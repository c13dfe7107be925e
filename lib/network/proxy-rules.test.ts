import { describe, expect, test } from "vitest";
import { isProxyAddress, proxyFor } from "./proxy-rules.ts";

const HTTPS_PROXY = "http://secure-proxy.example:3128";
const HTTP_PROXY = "http://plain-proxy.example:3128";

function proxyHostFor(target: string, noProxy?: string): string | undefined {
  return proxyFor(new URL(target), { httpsProxy: HTTPS_PROXY, httpProxy: HTTP_PROXY, noProxy })?.hostname;
}

test("each protocol has its own proxy, and none stands in for the other", () => {
  expect(proxyHostFor("https://a.example")).toBe("secure-proxy.example");
  expect(proxyHostFor("http://a.example")).toBe("plain-proxy.example");
  expect(proxyFor(new URL("http://a.example"), { httpsProxy: HTTPS_PROXY })).toBeUndefined();
  expect(proxyFor(new URL("https://a.example"), { httpProxy: HTTP_PROXY, httpsProxy: "" })).toBeUndefined();
});

describe("NO_PROXY", () => {
  test.each([
    ["*", "https://a.example"],
    ["b.example *", "https://a.example"],
    ["*:443", "https://a.example"],
    ["a.example", "https://a.example"],
    ["A.Example", "https://a.example."],
    ["a.example.", "https://a.example"],
    [".a.example", "https://a.example"],
    ["b.example,,\ta.example", "https://a.example"],
    ["example", "https://a.example"],
    ["*.example", "https://a.example"],
    [".example", "https://b.a.example"],
    ["a.example:443", "https://a.example"],
    ["a.example:0443", "https://a.example"],
    ["a.example:8443", "https://a.example:8443"],
    ["10.0.0.7", "http://10.0.0.7:9000"],
    ["[::1]:80", "http://[::1]"],
    ["[::1]", "http://[::1]"],
    ["::1", "http://[::1]:9000"],
  ])("%j leaves out %s", (noProxy, target) => {
    expect(proxyHostFor(target, noProxy)).toBeUndefined();
  });

  test.each([
    ["", "https://a.example"],
    [" , ", "https://a.example"],
    ["a.example:80", "https://a.example"],
    ["*:80", "https://a.example"],
    ["*.a.example", "https://a.example"],
    ["a.example", "https://ba.example"],
    ["b.a.example", "https://a.example"],
    ["[::1]:81", "http://[::1]"],
    ["10.0.0", "http://10.0.0.7"],
    ["10.0.0.0/8", "http://10.0.0.7"],
    [":443", "https://a.example"],
  ])("%j does not leave out %s", (noProxy, target) => {
    expect(proxyHostFor(target, noProxy)).toMatch(/-proxy\.example$/);
  });
});

test.each([
  [undefined, true],
  ["", true],
  [HTTP_PROXY, true],
  ["https://user:password@proxy.example", true],
  ["proxy:3128", false],
  ["socks5://proxy:1080", false],
  ["nothing of the kind", false],
])("%j as a proxy's address: %j", (text, isOne) => {
  expect(isProxyAddress(text)).toBe(isOne);
});
