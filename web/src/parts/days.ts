import { language } from "../i18n";

// A day of the API is a date in the time zone of the installation, no moment: it
// is the same day wherever it is read. Here it is its midnight in UTC, and is
// written as such.

const written = () => new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeZone: "UTC" });

// dated writes a day.
export const dated = (ms: number) => written().format(new Date(ms)).replaceAll(" ", "\u00a0");

// dayIn is the day that a moment falls on in a time zone.
export const dayIn = (moment: number, zone: string) => Date.parse(new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(new Date(moment)));

// begins and ends are the first and the last moment of a day as a field of dates
// gives it, where one looks, written as the API takes times; nothing for none.
const moment = (day: unknown, at: string) => (day ? new Date(`${String(day)}T${at}`).toISOString() : undefined);
export const begins = (day: unknown) => moment(day, "00:00:00.000");
export const ends = (day: unknown) => moment(day, "23:59:59.999");

const half = 43_200_000; // of a day, in ms

// spanned writes the first and the last day of a span that ends with the
// midnight after it. Seen from noon they are the same days in any time zone but
// the farthest.
export const spanned = (from: string, to: string) => `${dated(Date.parse(from) + half)} – ${dated(Date.parse(to) - half)}`;
