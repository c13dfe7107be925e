import type { Say, Texts } from "./texts.ts";
import { TEXTS_EN } from "./texts-en.ts";
import { TEXTS_ZH } from "./texts-zh.ts";

/** The languages of the report. */
export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

const TEXTS: Readonly<Record<Language, Texts>> = { en: TEXTS_EN, zh: TEXTS_ZH };

/** Every text in this language. */
export function textsIn(language: Language): Texts {
  return TEXTS[language];
}

/** A reason code of a run report for a person; the code itself where it has no words. */
export function reasonIn({ attemptReasons, errorReasons }: Texts): Say["reason"] {
  const words: Readonly<Record<string, string>> = { ...errorReasons, ...attemptReasons };
  return (code) => (Object.hasOwn(words, code) ? (words[code] ?? code) : code);
}
