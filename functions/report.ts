import { reportFunction } from "../lib/functions/report.ts";
import { lambdaHandler } from "../lib/hosted/function-host.ts";

export const handler = lambdaHandler(reportFunction);
