/** A folder store keeps this much of its disk free whatever is written: records and the system itself need some room. */
export const RESERVE_BYTES = 32 * 1024 * 1024;
