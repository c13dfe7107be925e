// The modules of undici that `undici.ts` loads one by one; undici types only its index.
declare module "undici/lib/api/index.js" {
  const methods: Readonly<Record<"request" | "stream" | "pipeline" | "upgrade" | "connect", unknown>>;
  export default methods;
}
declare module "undici/lib/core/connect.js" {
  export { buildConnector as default } from "undici";
}
declare module "undici/lib/core/errors.js" {
  export { errors as default } from "undici";
}
declare module "undici/lib/dispatcher/client.js" {
  export { Client as default } from "undici";
}
declare module "undici/lib/dispatcher/dispatcher.js" {
  export { Dispatcher as default } from "undici";
}
declare module "undici/lib/dispatcher/env-http-proxy-agent.js" {
  export { EnvHttpProxyAgent as default } from "undici";
}
declare module "undici/lib/dispatcher/pool.js" {
  export { Pool as default } from "undici";
}
declare module "undici/lib/handler/decorator-handler.js" {
  export { DecoratorHandler as default } from "undici";
}
