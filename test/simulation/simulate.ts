import { availableParallelism } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import { playStory } from "./play-story.ts";
import { reproduction } from "./shrink.ts";
import { parseStory, type Story } from "./story.ts";
import { describeSuite, type SuiteResult } from "./suite.ts";
import { playOnThreads } from "./worker-pool.ts";

const EXIT = { kept: 0, broken: 1, usage: 2 } as const;
const MOST_RUNNERS = 3;

interface Options {
  readonly seeds: number;
  readonly seed: number;
  readonly runners: number;
  readonly jobs: number;
  readonly story?: Story;
  readonly trace?: true;
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(number) || number < least || number > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return number;
  };
}

function story(text: string): Story {
  try {
    return parseStory(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : "It is not a story.");
  }
}

const program = new Command("simulate")
  .description(
    "Plays random stories of the archiver in a simulated world and checks every promise after each step.",
  )
  .addHelpText(
    "after",
    "\nExit code: 0 every promise was kept, 1 one was broken (with a line that shows it again), 2 wrong usage.",
  )
  .addOption(new Option("--seeds <count>", "how many stories").default(1_000).argParser(wholeNumber(1, 1e9)))
  .addOption(new Option("--seed <number>", "the first seed").default(1).argParser(wholeNumber(0, 2 ** 31)))
  .addOption(
    new Option("--runners <count>", "runners at most in a story")
      .default(MOST_RUNNERS)
      .argParser(wholeNumber(1, MOST_RUNNERS)),
  )
  .addOption(
    new Option("--jobs <count>", "threads to play on")
      .default(availableParallelism())
      .argParser(wholeNumber(1, 64)),
  )
  .addOption(new Option("--story <json>", "play this one story, as a failure printed it").argParser(story))
  .addOption(new Option("--trace", "with --story: print every call and what became of it"))
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.kept : EXIT.usage));

const options = program.parse().opts<Options>();
process.exitCode =
  options.story === undefined
    ? await playRange(options)
    : await playOne(options.story, options.trace === true);

async function playOne(told: Story, isTraced: boolean): Promise<number> {
  const { violations, counts, ends } = await playStory(told, ({ effects }) => {
    if (isTraced) {
      print(effects.toLines());
    }
  });
  print([`${JSON.stringify(counts)}`, `ends: ${JSON.stringify(ends)}`, ...violations]);
  if (violations.length === 0) {
    print(["Every promise was kept."]);
    return EXIT.kept;
  }
  print([reproduction(told)]);
  return EXIT.broken;
}

async function playRange({ seed, seeds, runners, jobs }: Options): Promise<number> {
  const startedMs = performance.now();
  const stopping = new AbortController();
  // On a terminal npm passes a second one on: a story takes milliseconds, so waiting for its end is enough for both.
  process.on("SIGINT", () => stopping.abort());
  const result = await playOnThreads(
    { kind: "random", firstSeed: seed, seeds, runners },
    { jobs, signal: stopping.signal, onProgress: (soFar) => showProgress(soFar, seeds) },
  );
  clearProgress();
  const name = stopping.signal.aborted ? "interrupted" : `seeds ${seed} to ${seed + seeds - 1}`;
  print([describeSuite(name, result, performance.now() - startedMs), ...result.reproductions]);
  if (result.windowLosses > 0) {
    print([
      `${result.windowLosses} files were replaced between the gate's list and the delete (docs/verification.md).`,
    ]);
  }
  return result.broken > 0 ? EXIT.broken : EXIT.kept;
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

function showProgress({ stories, broken }: SuiteResult, seeds: number): void {
  if (process.stderr.isTTY) {
    const share = Math.floor((100 * stories) / seeds);
    process.stderr.write(`\r\u001b[K${stories} of ${seeds} stories (${share} %), ${broken} broken`);
  }
}

function clearProgress(): void {
  if (process.stderr.isTTY) {
    process.stderr.write("\r\u001b[K");
  }
}
