import type { de } from "./de";

export type Word = keyof typeof de;
export type Lang = "en" | "de";

let lang: Lang = "en";
let words: Partial<Record<string, string>> = {};

// A sentence of the server: what it looks like, and what it is in the language.
// The console's light pages have the same from the same file.
type Sentence = { like: RegExp; say: string; verbs: string[]; weight: number };
let sentences: Sentence[] = [];

// sentence makes one of a format as the server has it.
function sentence([format, say]: [string, string]): Sentence {
  const like = format.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/%%|%d|%s|%\\\.\df/g, (verb) => (verb === "%%" ? "%" : verb === "%s" ? "(.+?)" : "(-?[\\d.]+)"));
  return { like: new RegExp(`^${like}$`, "s"), say, verbs: format.match(/%d|%s|%\.\df/g) ?? [], weight: format.replace(/%\S/g, "").length };
}

// speak loads a language; the page is drawn afterwards.
export async function speak(l: string) {
  lang = l === "de" ? "de" : "en";
  const [dictionary, server] = lang === "de" ? await Promise.all([import("./de"), import("../../internal/console/answers.de.json")]) : [];
  words = dictionary?.de ?? {};
  sentences = Object.entries(server?.default ?? {}).map(sentence).sort((a, b) => b.weight - a.weight);
  document.documentElement.lang = lang;
}

export const language = () => lang;

// t says a sentence in the language; {name} is filled from what is given.
export function t(word: Word, fill: Record<string, string | number> = {}): string {
  const s = words[word] ?? word;
  return s.replace(/\{(\w+)\}/g, (_, n: string) => {
    const v = fill[n];
    return typeof v === "number" ? num(v) : (v ?? "");
  });
}

const mostSentences = 8; // that are taken apart; what follows, such as somebody's reason, belongs to the last

// said gives a text of the server's in the language: sentence by sentence where
// each is known, else as a whole; what is not known stays as it is.
export function said(text: string): string {
  const all = text.split(/(?<=[.!?]) /);
  const parts = [...all.slice(0, mostSentences - 1), ...(all.length < mostSentences ? [] : [all.slice(mostSentences - 1).join(" ")])];
  return bySentence(parts) ?? text;
}

// bySentence takes parts for sentences, where a known one may run over several;
// else all of them for one. It gives null for what is not known.
function bySentence(parts: string[]): string | null {
  for (let n = 1; n < parts.length; n++) {
    const first = known(parts.slice(0, n).join(" "));
    const rest = first === null ? null : bySentence(parts.slice(n));
    if (rest !== null) return `${first} ${rest}`;
  }
  return known(parts.join(" "));
}

// known is a sentence, or roles and states, in the language.
function known(text: string): string | null {
  const sentence = translated(text);
  if (sentence !== null || !/^[a-z_]+(, [a-z_]+)*$/.test(text)) return sentence;
  const all = text.split(", ");
  return all.some((w) => words[w]) ? all.map((w) => words[w] ?? w).join(", ") : null;
}

function translated(text: string): string | null {
  for (const { like, say, verbs } of sentences) {
    const parts = like.exec(text);
    if (parts) return say.replace(/\{(\d)\}/g, (_, n: string) => filled(verbs[Number(n) - 1], parts[Number(n)] ?? ""));
  }
  return null;
}

// filled is a value of a sentence: numbers are written as elsewhere.
function filled(verb: string | undefined, value: string): string {
  const [, size, unit] = /^(-?\d+(?:\.\d+)?)( GB)?$/.exec(value) ?? [];
  return size && (unit || verb !== "%s") ? num(Number(size)) + (unit ?? "") : (known(value) ?? value);
}

const odd: Record<string, string> = { ok: "OK" }; // what no rule makes of its key

// named says a value of the API (a status, a role, an action) in words, where
// there are some.
export function named(value: string): string {
  const s = words[value] ?? odd[value];
  if (s) return s;
  const [noun, verb] = value.split("."); // an event of the audit log
  if (noun && verb) {
    const done = named(verb);
    return `${named(noun)}: ${done.charAt(0).toLowerCase()}${done.slice(1)}`;
  }
  const plain = value.replaceAll("_", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

export const num = (n: number, digits = 2) => new Intl.NumberFormat(lang, { maximumFractionDigits: digits }).format(n);

// whole keeps what belongs together on one line: a number and its unit, a date.
const whole = (s: string) => s.replaceAll(" ", "\u00a0");

export const day = (s: string | number) => whole(new Intl.DateTimeFormat(lang, { dateStyle: "medium" }).format(new Date(s)));
export const when = (s: string | null | undefined) => (s ? `${day(s)}, ${whole(new Intl.DateTimeFormat(lang, { timeStyle: "short" }).format(new Date(s)))}` : "–");
export const percent = (n: number, digits = 2) => `${num(n, digits)}\u00a0%`;

const units: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

// ago says how long something has been, in the largest unit that fits.
export function ago(s: string): string {
  const ms = new Date(s).getTime() - Date.now();
  const [unit, size] = units.find(([, n]) => Math.abs(ms) >= n) ?? ["minute", 60_000];
  return whole(new Intl.RelativeTimeFormat(lang, { numeric: "auto" }).format(Math.round(ms / size), unit));
}

// limit says a limit; -1 is none.
export const limit = (n: number, unit = "") => (n < 0 ? t("unlimited") : `${num(n)}${unit && `\u00a0${unit}`}`);

export function choose(l: Lang) {
  document.cookie = `tenantry_lang=${l}; path=/; max-age=31536000; samesite=lax`;
  location.reload();
}

// quantity says an amount of a meter: bytes as GB, anything else with its unit.
export const quantity = (n: number, unit: string) => (unit === "bytes" ? `${num(n / 1e9)}\u00a0GB` : unit ? `${num(n)}\u00a0${unit}` : num(n));
