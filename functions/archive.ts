import { archiveFunction } from "../lib/functions/archive.ts";
import { lambdaHandler } from "../lib/hosted/function-host.ts";

export const handler = lambdaHandler(archiveFunction);
