import {
  createServer as createTlsServer,
  getCACertificates,
  setDefaultCACertificates,
  type TLSSocket,
} from "node:tls";
import { type LoopbackTcp, listenOnLoopback } from "./tunnel-proxy.ts";

/** A key for tests alone, made with `openssl req -x509 -newkey ec … -addext subjectAltName=DNS:localhost`. */
const TEST_KEY = `
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgccfHfogJYH079FQP
F7btU03Y+lWKJFVQd7Sw8H6l7aGhRANCAAQrKqPF6HCqLCJu6Db4Cxcikzik3jMp
b+jC6LMtFw32gtpqkO78zuhPIkfkIBSEZ1bDUj8EVaLeJA17OLj+VXt6
-----END PRIVATE KEY-----
`;
const TEST_CERTIFICATE = `
-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUCXqErPAuyKYqv9e2YwZu/W/Rlx0wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE4MTMyOVoYDzIxMjYxMDMx
MTgxMzI5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQrKqPF6HCqLCJu6Db4Cxcikzik3jMpb+jC6LMtFw32gtpqkO78zuhP
IkfkIBSEZ1bDUj8EVaLeJA17OLj+VXt6o2kwZzAdBgNVHQ4EFgQU5EA+7mdwpf5/
vPYD5WJP5ryT0JQwHwYDVR0jBBgwFoAU5EA+7mdwpf5/vPYD5WJP5ryT0JQwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIhAPtNKK3crL3IY7MLBWBTTVX7UzGwFQ2qMADJJAfsXYhvAiBVsPOvkwff
euH8sJEb/hnDh+spI078YybWiD6pz06cjg==
-----END CERTIFICATE-----
`;

/**
 * Makes this process trust the certificate of {@link startTls}, and no other.
 *
 * @returns takes that back: files of tests share a process.
 */
export function trustTestCertificate(): () => void {
  const before = getCACertificates("default");
  setDefaultCACertificates([TEST_CERTIFICATE]);
  return () => setDefaultCACertificates(before);
}

/** A TLS server whose certificate is for `localhost`, and not for 127.0.0.1. */
export async function startTls(onSocket: (socket: TLSSocket) => void): Promise<LoopbackTcp> {
  return await listenOnLoopback(createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, onSocket));
}
