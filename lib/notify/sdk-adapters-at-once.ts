import type * as lateAdapters from "./sdk-adapters.ts";
import { publish } from "./topic.ts";

// sdk-adapters.ts for functions: of what is imported at once esbuild leaves out what is never called.

export const loadPublish: typeof lateAdapters.loadPublish = async () => publish;
