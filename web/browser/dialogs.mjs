// Dialogs while the server is slow, and when part of the work is refused: on the
// demo data.
import { go, run, signIn, visitor, want } from "./lib.mjs";

await run(async (browser) => {
  let refused = false; // what is asked for
  const page = await visitor(browser, { expect: (text) => refused && /409|422/.test(text) });
  await signIn(page, "ada.berg@tenantry.example", "tenantry-demo-login");
  const dialog = page.getByRole("dialog");
  const look = dialog.getByRole("button", { name: "See what it does" });

  // What a dry run says of one amount is not shown for another.
  await go(page, "/app/organizations/1");
  await page.getByRole("button", { name: "Add credits" }).click();
  await dialog.getByLabel("Amount").fill("10");
  let release;
  const answer = new Promise((done) => (release = done));
  await page.route(/dry_run=true/, async (r) => (await answer, r.continue()));
  await look.click();
  await dialog.getByLabel("Amount").fill("5000");
  release();
  await page.waitForFunction(() => !document.querySelector('[role="dialog"] [aria-label="Loading"]'));
  want("what it does of another amount", await dialog.getByText("10 credits").count(), 0);
  await look.click();
  await dialog.getByText("5,000 credits").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
});
