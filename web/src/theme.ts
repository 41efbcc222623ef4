import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";
import { createContext, useContext } from "react";
import type { Schemas } from "./api/client";

export type Brand = Schemas["BrandFields"];

type RGB = [number, number, number];

const parse = (hex: string): RGB => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as RGB;
const write = (c: RGB) => `#${c.map((v) => Math.round(v).toString(16).padStart(2, "0")).join("")}`;
const mix = (a: RGB, b: RGB, part: number): RGB => a.map((v, i) => v + ((b[i] ?? 0) - v) * part) as RGB;
const white: RGB = [255, 255, 255];
const black: RGB = [0, 0, 0];

function luminance(c: RGB): number {
  const [r, g, b] = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)) as RGB;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// contrast is WCAG's ratio, 1 to 21.
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(parse(a)), luminance(parse(b))].sort((m, n) => n - m) as [number, number];
  return (x + 0.05) / (y + 0.05);
}

// readable moves a colour away from the ground until the ratio holds.
export function readable(colour: string, ground: string, ratio: number): string {
  const towards = luminance(parse(ground)) < 0.18 ? white : black;
  for (let part = 0; part <= 1; part += 0.02) {
    const c = write(mix(parse(colour), towards, part));
    if (contrast(c, ground) >= ratio) return c;
  }
  return write(towards);
}

const distance = 80; // of two colours that are told apart, in the cube of RGB

// apart are those of the colours that are unlike all before them.
export function apart(colours: string[]): string[] {
  const far = (a: string, b: string) => Math.hypot(...parse(a).map((v, i) => v - (parse(b)[i] ?? 0))) >= distance;
  return colours.reduce<string[]>((all, c) => (all.every((o) => far(o, c)) ? [...all, c] : all), []);
}

export const valid = (s: string | null | undefined): s is string => /^#[0-9A-Fa-f]{6}$/.test(s ?? "");

// builtIn is what holds where not even the platform set anything, as the server
// has it.
export const builtIn = { app_name: "Tenantry", primary_color: "#1F5FBF", secondary_color: "#3B4A5A", logo_url: null, favicon_url: null, footer_text: null, support_email: null, hide_powered_by: false } satisfies Brand;

const Context = createContext<Brand>(builtIn);
export const BrandProvider = Context.Provider;
export const useBrand = () => useContext(Context);

export const primaryOf = (b: Brand) => (valid(b.primary_color) ? b.primary_color : builtIn.primary_color);

function shades(hex: string): MantineColorsTuple {
  const c = parse(hex);
  const light = [0.93, 0.83, 0.68, 0.52, 0.36, 0.18].map((p) => write(mix(c, white, p)));
  return [...light, hex, ...[0.08, 0.2, 0.35].map((p) => write(mix(c, luminance(c) < 0.05 ? white : black, p)))] as unknown as MantineColorsTuple;
}

export function themeOf(b: Brand) {
  return createTheme({
    primaryColor: "brand",
    primaryShade: 6,
    colors: { brand: shades(primaryOf(b)), bad: shades("#b3261e") },
    autoContrast: true,
    luminanceThreshold: 0.18,
    fontFamily: "system-ui, sans-serif",
    headings: { fontFamily: "system-ui, sans-serif", sizes: { h1: { fontSize: "1.45rem" }, h2: { fontSize: "1.15rem" }, h3: { fontSize: "1rem" } } },
    defaultRadius: "sm",
    cursorType: "pointer",
    components: { Modal: { styles: { title: { fontWeight: 650, fontSize: "1.1rem" } } } },
  });
}

// grounds are what colours stand on: in the dark the lightest of them, a card's.
const grounds = { light: "#ffffff", dark: "#2e2e2e" };

// variables mend what Mantine leaves too faint, and let the brand through only
// where it can be read.
export function variablesOf(b: Brand): CSSVariablesResolver {
  const p = primaryOf(b);
  const scheme = (ground: string, soft: string, dim: string, line: string, bad: string, good: string, warn: string) => ({
    "--mantine-color-dimmed": dim,
    "--mantine-color-placeholder": dim,
    "--mantine-color-error": bad,
    "--mantine-color-anchor": readable(p, soft, 4.5),
    "--mantine-color-brand-light": soft,
    "--mantine-color-brand-light-hover": soft,
    "--mantine-color-brand-light-color": readable(p, soft, 4.5),
    "--mantine-color-brand-text": readable(p, ground, 4.5),
    "--line-brand": readable(p, ground, 3),
    "--line-second": readable(valid(b.secondary_color) ? b.secondary_color : builtIn.secondary_color, ground, 3),
    "--line": line,
    "--bad": bad,
    "--good": good,
    "--warn": warn,
    "--soft": soft,
  });
  return () => ({
    variables: {},
    light: scheme(grounds.light, "#f1f3f5", "#555b63", "#868e96", "#b3261e", "#2b7a3d", "#8f5a00"),
    dark: scheme(grounds.dark, "#2e2e2e", "#b4bac1", "#7d848c", "#ffa8a0", "#7ed491", "#f5c264"),
  });
}
