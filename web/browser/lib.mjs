// What the browser tests share: a Chromium that maps every name to this
// machine, pages that notice what must not happen, and the checks.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

export const base = process.env.TENANTRY_BASE ?? "http://127.0.0.1:8080";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const faults = [];

// fault notes what is wrong and goes on, so that one run tells all.
export function fault(where, what) {
  faults.push(`${where}: ${what}`);
  console.error(`FAULT ${where}: ${what}`);
}

export function want(where, got, wanted) {
  if (got !== wanted) fault(where, `got ${JSON.stringify(got)}, want ${JSON.stringify(wanted)}`);
}

// run opens the browser for one test and ends the process with its outcome.
export async function run(test, trusted = [base]) {
  const browser = await chromium.launch({
    executablePath: process.env.TENANTRY_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * 127.0.0.1",
      `--unsafely-treat-insecure-origin-as-secure=${trusted.join(",")}`],
  });
  try {
    await test(browser);
  } catch (e) {
    fault("the test", e.stack ?? e);
    for (const page of browser.contexts().flatMap((c) => c.pages())) {
      console.error(page.url(), "says", await page.locator("[role=alert], [role=dialog]").allInnerTexts().catch(() => "nothing"));
    }
  }
  await browser.close();
  process.exit(faults.length > 0 ? 1 : 0);
}

// visitor is somebody with a browser of their own. Whatever their pages ask of
// another origin, refuse by policy or complain of is a fault.
export async function visitor(browser, { at = base, dark = false, width = 1280, lang = "en-GB", zone, javaScript = true, expect = () => false } = {}) {
  const context = await browser.newContext({ baseURL: at, locale: lang, timezoneId: zone, colorScheme: dark ? "dark" : "light", viewport: { width, height: 900 }, reducedMotion: "reduce", javaScriptEnabled: javaScript });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("request", (r) => {
    const url = new URL(r.url());
    if (url.origin !== new URL(at).origin && !["data:", "blob:"].includes(url.protocol)) fault(page.url(), `a request to ${url}`);
  });
  page.on("console", (m) => {
    if (m.type() === "error" && !expect(m.text())) fault(page.url(), `the console says ${m.text()}`);
  });
  page.on("pageerror", (e) => fault(page.url(), `an error: ${e.message}`));
  return page;
}

export async function signIn(page, email, password, next = "/app") {
  await page.goto(`/login?next=${encodeURIComponent(next)}`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button").filter({ hasText: /Sign in|Anmelden/ }).click();
  await page.waitForURL((u) => u.pathname.startsWith("/app"));
  await settled(page);
}

// go turns to another page without loading the application anew.
export async function go(page, path) {
  await page.evaluate((to) => history.pushState({}, "", to), path);
  await page.locator(`main[data-at="${path}"]`).waitFor();
  await settled(page);
}

// settled waits until the page has shown what it loads.
export async function settled(page) {
  await page.locator("h1").first().waitFor();
  await page.waitForFunction(() => !document.querySelector('[role="status"][aria-label]') && document.querySelectorAll("main h1, main .card h1").length > 0);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

// accessible holds the page against WCAG 2.2 A and AA.
export async function accessible(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"] }));
  for (const v of found.violations) {
    for (const n of v.nodes.slice(0, 3)) fault(where, `axe ${v.id}: ${n.target.join(" ")} ${n.failureSummary?.replaceAll("\n", " ").slice(0, 220)}`);
  }
}

// fits holds that nothing is wider than the window, once plots have followed it.
export async function fits(page, where) {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const wide = await page.evaluate(() => {
    const w = document.documentElement.clientWidth;
    const inside = (e) => e.closest(".table, .mantine-Tabs-list, [data-scroll], .unseen, .skip, .preview") !== null;
    return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > w + 1 && !inside(e) && getComputedStyle(e).position !== "fixed").slice(0, 3).map((e) => `${e.tagName}.${e.className} ${Math.round(e.getBoundingClientRect().right)}`);
  });
  if (wide.length > 0) fault(where, `wider than the window: ${wide.join("; ")}`);
}

// paint turns to light or dark, and waits until the page has.
export async function paint(page, scheme) {
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await page.waitForFunction((s) => document.documentElement.dataset.mantineColorScheme === s, scheme);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

// picture keeps the page, where pictures are wanted.
export async function picture(page, name) {
  const folder = process.env.TENANTRY_SCREENSHOTS;
  if (!folder) return;
  const { width, height } = await page.evaluate(() => ({ width: document.documentElement.clientWidth, height: document.documentElement.scrollHeight }));
  if (await page.getByRole("dialog").isVisible()) await page.screenshot({ path: `${folder}/${name}.png` }); // stands in the window
  else await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(height, 4000) } });
}
