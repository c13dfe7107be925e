// The parts of undici that the client is made of. undici's own index also loads fetch, WebSocket, caches and
// a zstd decoder that Node 22.13 does not have, and adds 300 KB to every bundle.
import methods from "undici/lib/api/index.js";
import buildConnector from "undici/lib/core/connect.js";
import errors from "undici/lib/core/errors.js";
import Client from "undici/lib/dispatcher/client.js";
import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
import EnvHttpProxyAgent from "undici/lib/dispatcher/env-http-proxy-agent.js";
import Pool from "undici/lib/dispatcher/pool.js";
import DecoratorHandler from "undici/lib/handler/decorator-handler.js";

// As undici's index does: `request` and `connect` are methods of every dispatcher.
Object.assign(Dispatcher.prototype, methods);

export type { buildConnector as Connectors, Dispatcher } from "undici";
export { buildConnector, Client, DecoratorHandler, EnvHttpProxyAgent, errors, Pool };
