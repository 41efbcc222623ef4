// Lists by keys alone, and while the server is slow to answer: on the demo data.
import { readFileSync } from "node:fs";
import { go, run, signIn, visitor, want } from "./lib.mjs";

const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute("name") ?? document.activeElement?.textContent);
const asks = (page, search) => page.waitForURL((u) => u.search === search);

await run(async (browser) => {
  const page = await visitor(browser, { expect: (text) => /ERR_INTERNET_DISCONNECTED|no answer/.test(text) });
  await signIn(page, "ada.berg@tenantry.example", "tenantry-demo-login");

  // Whoever filters keeps the focus, and what was typed and not sent goes along.
  await go(page, "/app/organizations");
  await page.getByLabel("Search for").fill("a");
  await page.getByLabel("Status").focus();
  await page.keyboard.press("ArrowDown");
  await asks(page, "?q=a&effective_status=active");
  want("the focus after a choice", await focused(page), "effective_status");
  await page.keyboard.press("ArrowDown");
  await asks(page, "?q=a&effective_status=suspended");
  await page.getByLabel("Search for").press("Enter");
  want("the focus after a search", await focused(page), "q");
  await go(page, "/app/audit");
  const search = page.getByRole("search");
  await search.getByRole("textbox", { name: "Action" }).fill("credit");
  await search.getByLabel("Admin").fill("atlas");
  await page.getByRole("option", { name: "Atlas" }).click();
  await page.waitForURL((u) => u.searchParams.get("action") === "credit" && u.searchParams.has("admin_id"));

  // What is shown goes out as CSV and as a command line; a filter is kept, and
  // forgotten.
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await go(page, "/app/organizations?q=adler");
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  want("the file's name", file.suggestedFilename(), "Organizations.csv");
  const lines = readFileSync(await file.path(), "utf8").trim().split("\r\n");
  want("the file's head", lines[0].startsWith("Name,Slug,Status,"), true);
  want("rows of the file", lines.length - 1, await page.locator("tbody tr").count());
  want("the first row", lines[1].includes("adler-optik"), true);
  await page.getByRole("button", { name: "Copy as curl" }).click();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  want("the command", /^curl -H "Authorization: Bearer \$TOKEN" 'http:.*\/api\/tenants\/organizations\?q=adler&limit=50'$/.test(command), true);
  await page.getByRole("button", { name: "Save filter" }).click();
  await page.goto("/app/organizations");
  await page.getByRole("button", { name: "adler", exact: true }).click();
  await asks(page, "?q=adler");
  await page.getByRole("button", { name: "Forget filter" }).click();
  want("filters left", await page.getByRole("button", { name: "adler", exact: true }).count(), 0);

  // Before a page is there, none after it can be asked for, and no row of the one
  // before it chosen.
  let release;
  const slow = async () => {
    const answer = new Promise((done) => (release = done));
    await page.route(/organizations\?.*limit=50/, async (r) => (await answer, r.continue()));
  };
  await go(page, "/app/organizations");
  await slow();
  await page.getByRole("button", { name: "Next" }).focus();
  await page.keyboard.press("Enter");
  await asks(page, "?page=2");
  await page.keyboard.press("Enter");
  await page.getByLabel("Choose all").evaluate((box) => box.click()); // the focus stays
  release();
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length < 50);
  want("the page after two times Enter", new URL(page.url()).search, "?page=2");
  want("the focus on the last page", await focused(page), "Next");
  want("rows chosen unseen", await page.getByRole("button", { name: /^Suspend \d/ }).count(), 0);

  // A notification that is read hands the focus to the next that is not.
  await go(page, "/app/notifications");
  await page.unrouteAll();
  const marks = page.getByRole("button", { name: "Mark as read" });
  const unread = await marks.count();
  await marks.first().focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction((n) => document.querySelectorAll("[data-once]").length < n, unread);
  want("the focus after one is read", await focused(page), "Mark as read");

  // Where nobody answers, that is said beside what is shown, and on a page that
  // was not loaded yet.
  await go(page, "/app/organizations");
  const context = page.context();
  await context.setOffline(true);
  await page.getByLabel("Search for").fill("x");
  await page.getByLabel("Search for").press("Enter");
  await page.getByText("The server does not answer.").waitFor();
  await page.evaluate(() => history.pushState({}, "", "/app/settings"));
  await page.getByRole("heading", { name: "This cannot be shown" }).waitFor();
  await page.getByText("The server does not answer.").waitFor();
  await context.setOffline(false);

  // The days of a filter are those of the rows beside it: local ones.
  const far = await visitor(browser, { zone: "America/New_York" });
  await signIn(far, "ada.berg@tenantry.example", "tenantry-demo-login");
  const asked = far.waitForRequest((r) => r.url().includes("from=2026"));
  await go(far, "/app/audit?from=2026-01-15");
  want("a day of the filter in New York", new URL((await asked).url()).searchParams.get("from"), "2026-01-15T05:00:00.000Z");

  // A stream that breaks off is taken up after the last event that was seen. On a
  // phone the menu that is closed takes no focus.
  const phone = await visitor(browser, { width: 390 });
  let streams = 0;
  const resumed = new Promise((done) => {
    void phone.route("**/notifications/stream", (r) => (streams++ === 0
      ? r.fulfill({ contentType: "text/event-stream", body: "id: 41\ndata: {\"notification\":null,\"unread\":7,\"changed\":false}\n\n" })
      : (done(r.request().headers()["last-event-id"]), r.continue())));
  });
  await signIn(phone, "ada.berg@tenantry.example", "tenantry-demo-login");
  want("where the stream is taken up", await resumed, "41");
  for (let i = 0; i < 8; i++) {
    await phone.keyboard.press("Tab");
    want("what has the focus is in sight", await phone.evaluate(() => document.activeElement.getBoundingClientRect().right > 0 || document.activeElement.className === "skip"), true);
  }
});
