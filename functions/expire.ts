import { expireFunction } from "../lib/functions/expire.ts";
import { lambdaHandler } from "../lib/hosted/function-host.ts";

export const handler = lambdaHandler(expireFunction);
