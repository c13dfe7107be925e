import { hostname, userInfo } from "node:os";

/**
 * Who is at the keyboard, as holds note it: `ann@archive-1`, or `uid-1234@archive-1` for a user that the system has
 * no name for, as in a container that runs with any id.
 *
 * @param lookUp throws when there is no such user, as Node's own does.
 */
export function operatorName(lookUp: () => { readonly username: string } = userInfo): string {
  return `${userName(lookUp)}@${hostname()}`;
}

function userName(lookUp: () => { readonly username: string }): string {
  try {
    return lookUp().username;
  } catch {
    // Whatever the reason, a hold must not fail for want of a name.
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
