// Dialogs while the server is slow, and when part of the work is refused: on the
// demo data.
import { fault, go, run, signIn, visitor, want } from "./lib.mjs";

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
  await page.unroute(/dry_run=true/);

  // The balances it names are those of now, not of when the dialog was opened.
  const had = await page.evaluate(async () => {
    const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
    const res = await fetch("/api/tenants/organizations/1/credits/add", { method: "POST", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: JSON.stringify({ amount: 1000, source: "platform" }) });
    return (await res.json()).credit_balance;
  });
  await dialog.getByLabel("Amount").fill("7");
  await look.click();
  await dialog.getByText(`: ${had.toLocaleString("en")} → ${(had + 7).toLocaleString("en")}`).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });

  // A click beside a dialog leaves it open, and Ctrl-K opens nothing above it. The
  // palette keeps in sight what the arrow keys choose.
  await page.getByRole("button", { name: "Add credits" }).click();
  await dialog.getByLabel("Amount").fill("77");
  await page.mouse.click(5, 5);
  await page.keyboard.press("Control+k");
  want("what was typed, after a click beside it", await dialog.getByLabel("Amount").inputValue(), "77");
  want("dialogs at once", await dialog.count(), 1);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await page.keyboard.press("Control+k");
  await dialog.getByRole("combobox").waitFor();
  for (let i = 0; i < 30; i++) await page.keyboard.press("ArrowDown");
  const sight = await dialog.locator("[aria-selected=true]").evaluate((o) => [o.getBoundingClientRect().bottom, o.closest("[role=listbox]").getBoundingClientRect().bottom + 1]);
  want("the choice of the palette is in sight", sight[0] <= sight[1], true);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });

  // What nothing was chosen of is said at its field, before anything is sent.
  await go(page, "/app/keys");
  await page.getByRole("button", { name: "New key" }).click();
  await dialog.getByLabel("Name").fill("Nothing");
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText("Choose at least one.").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });

  // Who would be over a limit is told before it is lowered.
  await go(page, "/app/organizations/1");
  await page.getByRole("button", { name: "Limits" }).click();
  await dialog.getByLabel("Users").fill("1");
  await look.click();
  await dialog.getByText(/Adler Optik Group would be over: .*, \d+ of 1$/).waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await dialog.waitFor({ state: "hidden" });

  // What is dangerous says whom it hits before it can be done.
  for (const [path, name] of [["/organizations/1", "Limits"], ["/organizations/1?tab=domain", "Change the domain"], ["/organizations/1?tab=members", "Change role"], ["/organizations/1?tab=members", "Remove"],
    ["/organizations/1?tab=danger", "Archive this organization"], ["/organizations/1?tab=danger", "Suspend this organization"], ["/organizations/1?tab=danger", "Transfer to another admin"],
    ["/admins/1", "Edit"], ["/admins/1", "Suspend"], ["/admins/1?tab=people", "Make owner"], ["/settings", "Edit"]]) {
    await go(page, `/app${path}`);
    await page.getByRole("button", { name, exact: true }).first().click();
    await dialog.locator(".effects").or(look).first().waitFor().catch(() => fault(`${name} on ${path}`, "does not say what it does first"));
    await dialog.getByRole("button", { name: "Close" }).click();
    await dialog.waitFor({ state: "hidden" });
  }

  // The focus goes back to what it came from, or to the page where that is gone.
  const back = (to) => page.waitForFunction((t) => document.activeElement?.id === t || document.activeElement?.textContent === t, to);
  await go(page, "/app/organizations?effective_status=active");
  await page.getByLabel("Choose all").check();
  const several = page.getByRole("button", { name: /^Suspend \d/ });
  await several.click();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await back(await several.innerText());
  await go(page, "/app/organizations/1?tab=danger");
  await page.getByRole("button", { name: "Suspend this organization" }).click();
  await dialog.getByLabel("Reason").fill("Payment overdue");
  await look.click();
  await dialog.getByRole("button", { name: "Suspend", exact: true }).click();
  await back("main");
  await page.getByRole("button", { name: "Reactivate this organization" }).waitFor();

  // Of several things, only what was refused is left to try again; and who closes
  // the dialog stops it.
  await go(page, "/app/requests?status=pending_approval");
  const boxes = page.getByRole("checkbox", { name: /^Choose \d/ });
  for (const i of [0, 1, 2]) await boxes.nth(i).check();
  const second = Number((await boxes.nth(1).getAttribute("aria-label")).replaceAll(/\D/g, ""));
  await page.getByRole("button", { name: "Reject 3" }).click();
  await dialog.getByLabel("Reason").fill("No such company");
  refused = true;
  await page.evaluate(async (id) => {
    const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
    await fetch(`/api/tenants/requests/${id}/reject`, { method: "POST", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: JSON.stringify({ reason: "Twice" }) });
  }, second);
  await look.click();
  await dialog.getByRole("button", { name: "Reject", exact: true }).click();
  await page.getByText("2 of 3 done").waitFor();
  const sent = [];
  page.on("request", (r) => r.method() === "POST" && sent.push(r.url()));
  await look.click();
  await dialog.getByRole("button", { name: "Reject", exact: true }).waitFor();
  want("what is tried again", sent.length, 1);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  refused = false;
  want("chosen among what is gone", await page.getByRole("button", { name: /^Reject \d/ }).count(), 0);

  await go(page, "/app/organizations?effective_status=active");
  await page.getByLabel("Choose all").check();
  await page.getByRole("button", { name: /^Suspend \d/ }).click();
  await dialog.getByLabel("Reason").fill("Payment overdue");
  await look.click();
  await page.getByText("This touches:").waitFor();
  let begun;
  const first = new Promise((done) => (begun = done));
  let resume;
  const held = new Promise((done) => (resume = done));
  await page.route(/\/status$/, async (r) => (begun(), await held, r.continue()));
  await dialog.getByRole("button", { name: "Suspend", exact: true }).click();
  await first;
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  resume();
  await page.getByText(/^1 of \d+ done$/).waitFor();

  // What several were suspended for ends for them too.
  await go(page, "/app/organizations?effective_status=suspended");
  const boxed = page.getByRole("checkbox", { name: /^Choose \d/ }).last();
  const stopped = (await boxed.getAttribute("aria-label")).replaceAll(/\D/g, "");
  await boxed.check();
  await page.getByRole("button", { name: "Reactivate 1" }).click();
  await look.click();
  await dialog.getByRole("button", { name: "Reactivate", exact: true }).click();
  await page.getByText(/^1 of 1 done$/).waitFor();
  want("what it is now", await page.evaluate(async (id) => {
    const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
    return (await (await fetch(`/api/tenants/organizations/${id}/detail`, { headers: { Authorization: `Bearer ${token}` } })).json()).status;
  }, stopped), "active");

  // Of two colours it is said which one is hard to read, and which one is none. A
  // brand that is saved shows at once around the page.
  const reseller = await visitor(browser, { expect: (text) => text.includes("422") });
  await signIn(reseller, "lena.hoffmann@northwind.example", "tenantry-demo-login");
  await reseller.getByRole("link", { name: "Branding" }).click();
  await reseller.getByText("Secondary colour: Hard to read on white").waitFor();
  const colour = reseller.getByRole("textbox", { name: "Primary colour", exact: true });
  const before = await colour.inputValue();
  await colour.fill("#FFE600");
  await reseller.getByRole("button", { name: /^Take #/ }).first().click();
  want("the colour that is proposed", /^#[0-9A-F]{6}$/.test(await colour.inputValue()) && (await colour.inputValue()) !== "#FFE600", true);
  await colour.fill("#12");
  await reseller.getByRole("button", { name: "Save" }).click();
  await reseller.waitForFunction(() => document.querySelector("[name=primary_color]").getAttribute("aria-invalid") === "true");
  await colour.fill(before);
  await reseller.getByLabel("Product name").fill("Northwind Next");
  await reseller.getByRole("button", { name: "Save" }).click();
  await reseller.getByRole("banner").getByText("Northwind Next").waitFor();

  // Whoever lifts a hold hears whether others still hold it, and the platform may
  // lift a reseller's too.
  await reseller.evaluate(async () => {
    const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
    await fetch("/api/tenants/organizations/1/status", { method: "PUT", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: JSON.stringify({ status: "suspended", reason: "Ours" }) });
  });
  await go(page, "/app/organizations/1?tab=danger");
  await page.getByText("Ours").waitFor();
  for (const [all, told] of [[false, "Your holds are lifted; others still hold it."], [true, "Active again"]]) {
    await page.getByRole("button", { name: "Reactivate this organization" }).click();
    if (all) await dialog.getByLabel("Lift the admin's hold too").evaluate((box) => box.click()); // its label lies over it
    await look.click();
    await dialog.getByRole("button", { name: "Reactivate", exact: true }).click();
    await page.getByText(told).waitFor();
  }
});
