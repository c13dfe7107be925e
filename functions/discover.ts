import { discoverFunction } from "../lib/functions/discover.ts";
import { lambdaHandler } from "../lib/hosted/function-host.ts";

export const handler = lambdaHandler(discoverFunction);
