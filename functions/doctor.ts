import { doctorFunction } from "../lib/functions/doctor.ts";
import { lambdaHandler } from "../lib/hosted/function-host.ts";

export const handler = lambdaHandler(doctorFunction);
