/** How a night of the strip is described. */
export interface NightInWords {
  readonly date: string;
  readonly verdict: string;
  readonly archived: number | undefined;
  readonly givenUp: number | undefined;
  readonly made: number | undefined;
  readonly held: number | undefined;
  readonly limit: number;
  readonly hasRetries: boolean;
}

/** The texts that only the page has. */
export interface PageTexts {
  readonly product: string;
  /** The three questions that come first, and their answers. */
  readonly risk: string;
  readonly riskFrom: (moment: string) => string;
  readonly riskNow: string;
  readonly riskLater: (moment: string) => string;
  readonly riskNone: string;
  readonly riskSeen: (moment: string) => string;
  readonly riskUnknown: string;
  readonly lost: (count: number) => string;
  readonly damaged: (count: number) => string;
  readonly night: string;
  /** @param failed how many of the runs a system failure stopped. */
  readonly ran: (runs: number, failed: number, last: string) => string;
  readonly made: string;
  readonly madeAt: (moment: string, from: string) => string;
  /** For readers whose browser runs no script. */
  readonly checkDate: string;

  readonly needs: (count: number) => string;
  readonly watch: (count: number) => string;
  readonly nothingToDo: string;
  readonly runbook: string;

  readonly tiles: {
    readonly title: string;
    readonly safe: string;
    readonly deleted: string;
    readonly kept: (count: number, reasons: string) => string;
    readonly slots: string;
    readonly made: string;
    readonly throttled: (count: number) => string;
    readonly unread: string;
    /** @param copies as `17,903`. */
    readonly copies: (copies: string, cold: string | undefined) => string;
    readonly streak: string;
    readonly nights: (count: number) => string;
    readonly streakMeaning: string;
  };
  readonly strip: {
    readonly title: (count: number) => string;
    readonly night: (night: NightInWords) => string;
    readonly legend: string;
    readonly retried: string;
    readonly bar: (limit: number, line: number) => string;
  };
  readonly exports: {
    readonly title: (count: number) => string;
    readonly unsafe: (count: number) => string;
    readonly rest: (count: number) => string;
    readonly none: string;
    readonly cut: (shown: number) => string;
    readonly state: string;
    readonly id: string;
    readonly batchTask: string;
    readonly rows: string;
    readonly size: string;
    readonly attempts: string;
    readonly made: string;
    readonly archived: string;
    readonly deleted: string;
  };
  readonly runs: {
    readonly title: (count: number) => string;
    readonly none: string;
    readonly started: string;
    readonly ended: string;
    readonly how: string;
    readonly archived: string;
    readonly deleted: string;
    readonly id: string;
  };
  readonly verification: {
    readonly title: string;
    readonly limit: string;
    readonly days: (count: number) => string;
    readonly kept: string;
    readonly late: string;
    readonly oldest: string;
    readonly copies: string;
    readonly cold: string;
    readonly readToday: string;
    readonly damaged: string;
    readonly inventory: string;
  };
  readonly settings: {
    readonly title: string;
    readonly deletion: string;
    readonly deletions: Readonly<Record<"after-verify" | "never", string>>;
    readonly project: string;
    readonly instance: string;
    readonly defaultInstance: string;
    readonly endpoint: string;
    readonly timeZone: string;
    readonly night: string;
  };
  readonly stale: {
    /** With `{n}` for the hours. */
    readonly hours: string;
    /** With `{n}` for the days. */
    readonly days: string;
    readonly latest: string;
    readonly day: string;
    readonly show: string;
    readonly toLatest: string;
  };
}
