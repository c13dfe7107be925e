import { retainFunction } from "../lib/functions/retain.ts";
import { lambdaHandler } from "../lib/hosted/function-host.ts";

export const handler = lambdaHandler(retainFunction);
