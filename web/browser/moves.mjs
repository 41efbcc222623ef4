// Acting for a member, and what moves credits back: each with the balances before
// and after, on the demo data.
import { accessible, go, picture, run, signIn, visitor, want } from "./lib.mjs";

const whole = (s) => Number(s.replaceAll(/\D/g, ""));

await run(async (browser) => {
  let refused = false; // what is asked for
  const page = await visitor(browser, { expect: (text) => refused && text.includes("401") });
  await signIn(page, "ada.berg@tenantry.example", "tenantry-demo-login");
  const dialog = page.getByRole("dialog");
  const gone = () => dialog.waitFor({ state: "hidden" });

  await go(page, "/app/organizations/1?tab=access");
  await page.getByRole("button", { name: "Act for a member" }).click();
  await dialog.getByLabel("Reason").fill("Ticket 17");
  await dialog.getByRole("button", { name: "Begin" }).click();
  await dialog.locator("pre").waitFor();
  await dialog.getByRole("button", { name: "Done" }).click();
  await page.getByText("Ticket 17").waitFor();
  await page.getByRole("button", { name: "End", exact: true }).click();
  await dialog.getByRole("button", { name: "End", exact: true }).click();
  await gone();
  await page.getByRole("cell", { name: "Ended" }).waitFor();
  await accessible(page, "who acted");

  // The console as that member sees it, until one stops, or somebody else does.
  const act = async (reason) => {
    await page.getByRole("button", { name: "Act for a member" }).click();
    await dialog.getByLabel("Reason").fill(reason);
    await dialog.getByRole("button", { name: "Begin" }).click();
    await dialog.getByRole("button", { name: "Open the console as this member" }).click();
    await page.getByText(/^You act for .* until /).waitFor();
  };
  await act("Ticket 18");
  await page.getByRole("link", { name: "Usage" }).click();
  await page.getByRole("heading", { level: 1, name: "Adler Optik Group" }).waitFor();
  want("the platform's pages", await page.getByRole("link", { name: "Partner groups" }).count(), 0);
  await accessible(page, "as a member");
  await picture(page, "acting");
  await page.getByRole("button", { name: "Stop acting" }).click();
  await page.getByRole("link", { name: "Partner groups" }).waitFor();
  const ended = (n) => page.waitForFunction((n) => [...document.querySelectorAll("td")].filter((e) => e.textContent === "Ended").length === n, n);
  await ended(2);
  await act("Ticket 19");
  const other = await visitor(browser);
  await signIn(other, "ada.berg@tenantry.example", "tenantry-demo-login");
  await go(other, "/app/organizations/1?tab=access");
  await other.getByRole("button", { name: "End", exact: true }).click();
  await other.getByRole("dialog").getByRole("button", { name: "End", exact: true }).click();
  await other.getByRole("dialog").waitFor({ state: "hidden" });
  refused = true;
  await page.getByRole("link", { name: "Members" }).click();
  await page.getByRole("link", { name: "Partner groups" }).waitFor();
  await ended(3);
  refused = false;

  // moves presses, fills, looks and does; the balance changes by as much as was said.
  const moves = async (name, fill, line, change) => {
    await page.getByRole("button", { name, exact: true }).click();
    await fill();
    await dialog.getByRole("button", { name: "See what it does" }).click();
    const said = await dialog.getByText(line).textContent();
    const [before, after] = said.slice(said.indexOf(":")).split("→").map(whole);
    want(`${name}: ${said}`, after - before, change);
    await dialog.getByRole("button", { name, exact: true }).click();
    await gone();
    await page.getByText(after.toLocaleString("en")).first().waitFor();
  };
  const enter = (amount) => async () => {
    await dialog.getByLabel("Amount").fill(String(amount));
    await dialog.getByLabel("Reason").fill("A reason");
  };
  await go(page, "/app/organizations/1?tab=credits");
  const ends = await page.evaluate(async () => {
    const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
    return (await (await fetch("/api/tenants/organizations/1/credits", { headers: { Authorization: `Bearer ${token}` } })).json()).forecast.runs_out_at;
  });
  await page.getByText(`At this pace it is empty on ${new Intl.DateTimeFormat("en", { dateStyle: "medium" }).format(new Date(ends)).replaceAll(" ", "\u00a0")}.`).waitFor();
  await moves("Adjust", enter(50), /^Balance: .*→/, 50);
  await moves("Take back", enter(10), /^Adler Optik Group: .*→/, -10);

  await page.getByRole("region", { name: "Transactions" }).getByRole("row").filter({ hasText: "Consume" }).first().getByRole("link").click();
  await page.getByRole("button", { name: "Refund" }).click();
  await dialog.getByRole("button", { name: "See what it does" }).click();
  await dialog.getByText("This touches:").waitFor();
  await dialog.getByRole("button", { name: "Refund" }).click();
  await gone();

  await go(page, "/app/admins/1?tab=credits");
  await moves("Adjust", async () => {
    await dialog.getByLabel("Direction").selectOption("out");
    await enter(5)();
  }, /^Balance: .*→/, -5);
});
