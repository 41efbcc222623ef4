import type { de } from "./de";

export type Word = keyof typeof de;
export type Lang = "en" | "de";

let lang: Lang = "en";
let words: Partial<Record<string, string>> = {};

// speak loads a language; the page is drawn afterwards.
export async function speak(l: string) {
  lang = l === "de" ? "de" : "en";
  words = lang === "de" ? (await import("./de")).de : {};
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

// named says a value of the API (a status, a role, an action) in words, where
// there are some.
export function named(value: string): string {
  const s = words[value];
  if (s) return s;
  const plain = value.replaceAll("_", " ").replaceAll(".", ": ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

export const num = (n: number, digits = 2) => new Intl.NumberFormat(lang, { maximumFractionDigits: digits }).format(n);
export const when = (s: string | null | undefined) => (s ? new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(s)) : "–");
export const day = (s: string | number) => new Intl.DateTimeFormat(lang, { dateStyle: "medium" }).format(new Date(s));

const units: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

// ago says how long something has been, in the largest unit that fits.
export function ago(s: string): string {
  const ms = new Date(s).getTime() - Date.now();
  const [unit, size] = units.find(([, n]) => Math.abs(ms) >= n) ?? ["minute", 60_000];
  return new Intl.RelativeTimeFormat(lang, { numeric: "auto" }).format(Math.round(ms / size), unit);
}

// limit says a limit; -1 is none.
export const limit = (n: number, unit = "") => (n < 0 ? t("unlimited") : `${num(n)}${unit && ` ${unit}`}`);

export function choose(l: Lang) {
  document.cookie = `tenantry_lang=${l}; path=/; max-age=31536000; samesite=lax`;
  location.reload();
}

// quantity says an amount of a meter: bytes as GB, anything else with its unit.
export const quantity = (n: number, unit: string) => (unit === "bytes" ? `${num(n / 1e9)} GB` : unit ? `${num(n)} ${unit}` : num(n));
