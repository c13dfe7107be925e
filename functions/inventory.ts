import { inventoryFunction } from "../lib/functions/inventory.ts";
import { lambdaHandler } from "../lib/hosted/function-host.ts";

export const handler = lambdaHandler(inventoryFunction);
