import type { Command } from "commander";
import { nearestName } from "../domain/nearest-name.ts";
import { EXIT } from "./exit-codes.ts";

/**
 * Lets a command that has a default subcommand refuse a word that is not a subcommand. Without this the word is
 * taken for an argument of the default one, which says that it takes none, or knows nothing of the options.
 */
export function refuseUnknownSubcommands(group: Command): void {
  group.hook("preSubcommand", () => {
    const [word] = group.args;
    const names = group.commands.map((command) => command.name());
    if (word === undefined || word.startsWith("-") || names.includes(word)) {
      return;
    }
    const meant = nearestName(word, names);
    const suggestion = meant === undefined ? "" : `\n(Did you mean ${meant}?)`;
    group.error(`error: unknown command '${word}'${suggestion}`, {
      code: "commander.unknownCommand",
      exitCode: EXIT.misuse,
    });
  });
}
