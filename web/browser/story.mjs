// The whole story: somebody signs up, the platform approves and hands out
// credits, a reseller passes them on, the owner invites people, and a
// suspension bites. What can be done by keys is done by keys.
import { accessible, base, fault, go, picture, run, settled, signIn, visitor, want } from "./lib.mjs";

const root = { email: process.env.TENANTRY_EMAIL, password: process.env.TENANTRY_PASSWORD };
const secret = "seven green bottles standing";

// tabTo presses Tab until the thing of that name has the focus.
async function tabTo(page, name, most = 80) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    const here = await page.evaluate(() => {
      const e = document.activeElement;
      return (e?.getAttribute("aria-label") ?? (e?.labels?.[0]?.textContent || e?.textContent) ?? "").trim();
    });
    if (here.replace(/ \*$/, "") === name) return;
  }
  throw new Error(`no way by Tab to ${name}`);
}

async function press(page, name) {
  await tabTo(page, name);
  await page.keyboard.press("Enter");
}

const dialog = (page) => page.getByRole("dialog");
const gone = (page) => dialog(page).waitFor({ state: "hidden" });
const row = (page, text) => page.getByRole("row").filter({ hasText: text });
// pick chooses by typing a part of the name, by keys alone.
async function pick(page, label, text, option) {
  await dialog(page).getByRole("combobox", { name: label }).fill(text);
  await page.getByRole("option", { name: option }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
}

const bell = (page, n) => page.getByRole("link", { name: n ? `Notifications, ${n} unread` : "Notifications", exact: true }).first().waitFor();

async function signUp(browser, company, email, options = {}) {
  const page = await visitor(browser, options);
  await page.goto("/signup?utm_source=fair&utm_medium=flyer&utm_campaign=autumn");
  await page.getByLabel("Company").fill(company);
  await page.getByLabel("Your name").fill("Sam Sample");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(secret);
  await page.getByRole("button", { name: "Send the request" }).click();
  await page.getByRole("heading", { name: "Your request" }).waitFor();
  return page;
}

// manages is what a manager does: sees credits and people, invites, and has
// neither keys nor the log.
async function manages(browser, invitation) {
  const page = await visitor(browser);
  await page.goto(invitation.pathname + invitation.hash);
  await page.getByLabel("Your name").fill("Max");
  await page.getByLabel("Password").fill(secret);
  await page.getByRole("button", { name: "Accept" }).click();
  await page.getByText("You are a member now.").waitFor();
  await signIn(page, "max@acme.example", secret);
  await page.getByText("900").first().waitFor();
  for (const name of ["API keys", "Audit log", "Organizations"]) want(`a manager and ${name}`, await page.getByRole("link", { name, exact: true }).count(), 0);
  await page.getByRole("link", { name: "Credits" }).click();
  await page.getByRole("table", { name: "Spent by plugin" }).getByText("E-commerce").waitFor();
  want("a manager adds no credits", await page.getByRole("button", { name: "Add credits" }).count(), 0);
  await page.getByRole("link", { name: "Members" }).click();
  await row(page, "mia@acme.example").first().waitFor();
  want("a manager and an owner", await row(page, "sam@acme.example").getByRole("button").count(), 0);
  await press(page, "Invite");
  await dialog(page).waitFor();
  want("the roles that a manager gives", await dialog(page).getByLabel("Role").locator("option").allTextContents().then(String), "Member,Manager");
  await page.keyboard.type("ida@acme.example");
  await page.keyboard.press("Enter");
  await dialog(page).getByText("This is shown once.").waitFor();
  await page.keyboard.press("Escape");
  await gone(page);
  await row(page, "ida@acme.example").getByRole("button", { name: "Revoke" }).click();
  await dialog(page).getByRole("button", { name: "Revoke" }).click();
  await gone(page);
  await page.context().close();
}

await run(async (browser) => {
  // Without a script somebody asks for an organization, and sees where it stands.
  const applicant = await signUp(browser, "Acme Corp", "sam@acme.example", { javaScript: false });
  await picture(applicant, "public-status");
  want("the status", await applicant.locator("li.done").allTextContents().then(String), "Received");

  // With one, a taken short name is told while it is typed.
  const second = await visitor(browser);
  await second.goto("/signup");
  await second.getByLabel("Short name").fill("acme-corp");
  await second.getByText("This one is taken.").waitFor();
  await second.locator(".wrong button").first().click();
  await second.getByText("This one is free.").waitFor();
  await second.getByRole("button", { name: "Send the request" }).click();
  want("an unfinished form stays", new URL(second.url()).pathname, "/signup");
  await accessible(second, "sign-up with a hint");
  await picture(second, "public-signup-hint");

  // The sign-in page needs no script either, and says what is wrong.
  const plain = await visitor(browser, { javaScript: false, expect: (s) => /401/.test(s) });
  await plain.goto("/login");
  await plain.getByLabel("E-mail").fill(root.email);
  await plain.getByLabel("Password").fill("a wrong password");
  await plain.getByRole("button", { name: "Sign in" }).click();
  await plain.getByRole("alert").getByText("wrong").waitFor();
  await picture(plain, "public-login-wrong");

  // The superadmin is told, live, in two tabs that agree.
  const boss = await visitor(browser);
  await signIn(boss, root.email, root.password);
  await bell(boss, 1);
  const tab = await boss.context().newPage();
  await tab.goto("/app/notifications");
  await settled(tab);
  await bell(tab, 1);
  await signUp(browser, "Bolt Agency", "bo@bolt.example");
  await Promise.all([bell(boss, 2), bell(tab, 2)]);
  await tab.getByRole("button", { name: "Mark all as read" }).click();
  await Promise.all([bell(boss, 0), bell(tab, 0)]);
  await tab.close();

  // By keys alone: to the request, and approve it.
  await boss.keyboard.press("Control+K");
  await boss.waitForFunction(() => document.activeElement?.getAttribute("role") === "combobox");
  await boss.keyboard.type("acme");
  await dialog(boss).getByRole("option", { name: /Acme Corp/ }).waitFor();
  await boss.keyboard.press("Enter");
  await boss.getByRole("heading", { level: 1, name: "Acme Corp" }).waitFor();
  await boss.getByText("autumn").waitFor();
  await press(boss, "Approve");
  await dialog(boss).waitFor();
  await accessible(boss, "the approval");
  await press(boss, "See what it does");
  await dialog(boss).getByText("This touches:").waitFor();
  await press(boss, "Approve");
  await gone(boss);
  await boss.getByText("To the organization").waitFor();
  await applicant.reload();
  await applicant.getByText("Your organization is ready.").waitFor();

  // The other one too, with what the API refuses shown.
  await boss.goto("/app/requests?status=pending_approval");
  await settled(boss);
  await boss.getByRole("link", { name: "Bolt Agency" }).click();
  await boss.getByRole("button", { name: "Approve" }).click();
  await dialog(boss).getByLabel("Slug").fill("No Slug!");
  boss.removeAllListeners("console"); // the refusals below are asked for
  await dialog(boss).getByRole("button", { name: "See what it does" }).click();
  await dialog(boss).getByRole("alert").locator("code").first().waitFor();
  await picture(boss, "opened-refusal");
  await dialog(boss).getByLabel("Slug").fill("bolt");
  await dialog(boss).getByRole("button", { name: "See what it does" }).click();
  await dialog(boss).getByRole("button", { name: "Approve" }).click();
  await gone(boss);

  // A reseller: made, given an owner and credits.
  await boss.goto("/app/organizations?q=bolt");
  await settled(boss);
  await row(boss, "bolt").getByRole("link").first().click();
  await boss.getByRole("tab", { name: "Members" }).click();
  await row(boss, "bo@bolt.example").waitFor();
  await boss.goto("/app/admins");
  await settled(boss);
  await boss.getByRole("button", { name: "New admin" }).click();
  await dialog(boss).getByLabel("Name", { exact: false }).first().fill("Bolt");
  await dialog(boss).getByLabel("E-mail").fill("bo@bolt.example");
  await dialog(boss).getByRole("button", { name: "Create" }).click();
  await boss.getByRole("heading", { level: 1, name: "Bolt" }).waitFor();
  await boss.getByRole("tab", { name: "Team" }).click();
  await boss.getByRole("button", { name: "Assign owner" }).click();
  await pick(boss, "User", "bo@bolt", /bo@bolt.example/);
  await dialog(boss).getByRole("button", { name: "See what it does" }).click();
  await dialog(boss).getByRole("button", { name: "Assign" }).click();
  await gone(boss);
  await boss.getByRole("button", { name: "Grant credits" }).click();
  await dialog(boss).getByLabel("Amount").fill("5000");
  await dialog(boss).getByLabel("Reason").fill("Monthly allocation");
  await dialog(boss).getByRole("button", { name: "See what it does" }).click();
  await dialog(boss).getByText("5,000 credits").waitFor();
  await dialog(boss).getByRole("button", { name: "Grant" }).click();
  await gone(boss);

  // Acme becomes the reseller's.
  await boss.goto("/app/organizations/acme-corp?tab=danger");
  await settled(boss);
  await boss.getByRole("button", { name: "Transfer to another admin" }).click();
  await pick(boss, "Admin", "bol", /^Bolt/);
  await dialog(boss).getByRole("button", { name: "See what it does" }).click();
  await dialog(boss).getByLabel("Type acme-corp to confirm").fill("acme-corp");
  await dialog(boss).getByRole("button", { name: "Transfer", exact: true }).click();
  await gone(boss);

  // The reseller hands out credits, by keys.
  const reseller = await visitor(browser);
  await signIn(reseller, "bo@bolt.example", secret);
  await reseller.getByText("5,000").first().waitFor();
  want("no platform pages", await reseller.getByRole("link", { name: "Registrations" }).count(), 0);
  await reseller.goto("/app/organizations/acme-corp");
  await settled(reseller);
  await press(reseller, "Add credits");
  await dialog(reseller).getByText("available in the pool: 5,000").waitFor();
  await reseller.keyboard.type("1200");
  await press(reseller, "See what it does");
  await dialog(reseller).getByText("1,200 credits").waitFor();
  await press(reseller, "Add");
  await gone(reseller);
  await reseller.getByText("1,200").first().waitFor();
  await reseller.goto("/app");
  await reseller.getByText("3,800").first().waitFor();

  // The owner sees them and invites a colleague, who comes by the link.
  const owner = await visitor(browser);
  await signIn(owner, "sam@acme.example", secret);
  await owner.getByText("1,200").first().waitFor();

  // The owner makes a key for a plugin's back end, which spends; the owner sees on what.
  await owner.getByRole("link", { name: "API keys" }).click();
  await owner.getByRole("button", { name: "New key" }).click();
  await dialog(owner).getByLabel("Name").fill("Shop");
  await dialog(owner).getByLabel("credits:spend").check();
  await dialog(owner).getByRole("button", { name: "Create" }).click();
  const key = await dialog(owner).locator("pre").textContent();
  await picture(owner, "opened-secret");
  await dialog(owner).getByRole("button", { name: "Done" }).click();
  const organization = new URL(owner.url()).pathname.split("/").pop();
  const spend = async (path, body, status) => {
    const res = await fetch(`${base}/api/tenants/organizations/${organization}/credits/${path}`, { method: "POST", headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" }, body: JSON.stringify(body) });
    want(`${path} of ${body.amount}`, res.status, status);
    return res.json();
  };
  await spend("consume", { amount: 250, plugin: "ecommerce", reference: "Order 17" }, 201);
  await spend("holds", { amount: 50, plugin: "calendar", expires_in: 3600 }, 201);
  want("more than there is", (await spend("consume", { amount: 5000, plugin: "ecommerce" }, 402)).available, 900);
  await owner.getByRole("link", { name: "Credits" }).click();
  await settled(owner);
  await owner.getByText("900").first().waitFor();
  await owner.getByRole("table", { name: "Spent by plugin" }).getByText("250").waitFor();
  await owner.getByRole("region", { name: "Holds" }).getByText("Calendar").waitFor();
  await owner.getByRole("region", { name: "Transactions" }).getByText("Order 17").waitFor();
  await accessible(owner, "the owner's credits");
  await owner.getByRole("link", { name: "Explain the balance" }).click();
  await owner.getByRole("heading", { name: "The sum of all that moved" }).waitFor();
  await owner.getByRole("region", { name: "The sum of all that moved" }).getByText("250").waitFor();
  await owner.getByRole("link", { name: "Members" }).click();
  await owner.getByRole("button", { name: "Invite" }).click();
  await dialog(owner).getByLabel("E-mail").fill("mia@acme.example");
  await dialog(owner).getByRole("button", { name: "Invite" }).click();
  const invitation = await dialog(owner).locator("pre").textContent();
  await dialog(owner).getByRole("button", { name: "Done" }).click();
  const member = await visitor(browser);
  await member.goto(new URL(invitation).pathname + new URL(invitation).hash);
  await picture(member, "public-accept-invited");
  want("the token leaves the address", new URL(member.url()).hash, "");
  await member.getByLabel("Your name").fill("Mia");
  await member.getByLabel("Password").fill(secret);
  await member.getByRole("button", { name: "Accept" }).click();
  await member.getByText("You are a member now.").waitFor();
  await signIn(member, "mia@acme.example", secret);
  await member.getByRole("heading", { name: "Usage against limits" }).waitFor();
  await owner.getByRole("button", { name: "Invite" }).click();
  await dialog(owner).getByLabel("E-mail").fill("max@acme.example");
  await dialog(owner).getByLabel("Role").selectOption("manager");
  await dialog(owner).getByRole("button", { name: "Invite" }).click();
  const leading = await dialog(owner).locator("pre").textContent();
  await dialog(owner).getByRole("button", { name: "Done" }).click();
  await manages(browser, new URL(leading));
  want("a member has no credits page", await member.getByRole("link", { name: "Credits" }).count(), 0);

  // Two who edit the same: the second sees what the first changed, and loads it.
  // A third, who only looks at the list, sees it too, without asking again.
  await reseller.goto("/app/organizations");
  await settled(reseller);
  await boss.goto("/app/organizations/acme-corp");
  await settled(boss);
  const seen = boss.waitForResponse((r) => r.url().endsWith("/detail"));
  await boss.getByRole("button", { name: "Rename" }).click();
  await seen;
  await dialog(boss).getByLabel("Name").fill("Acme of the platform");
  const first = await boss.evaluate(async () => {
    const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
    const res = await fetch("/api/tenants/organizations/acme-corp/edit", { method: "PUT", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: JSON.stringify({ name: "Acme of somebody else" }) });
    return res.status;
  });
  want("the first change", first, 200);
  await row(reseller, "Acme of somebody else").waitFor();
  await dialog(boss).getByRole("button", { name: "Save" }).click();
  await dialog(boss).getByRole("alert").getByText("Somebody changed this meanwhile.").waitFor();
  await dialog(boss).getByRole("region", { name: "What changed" }).getByText("Acme of somebody else").waitFor();
  await accessible(boss, "the conflict");
  await picture(boss, "opened-conflict");
  await dialog(boss).getByRole("button", { name: "Reload" }).click();
  await gone(boss);
  await boss.getByRole("heading", { level: 1, name: "Acme of somebody else" }).waitFor();

  // A logo is uploaded, shown from here, and saved.
  await reseller.goto("/app");
  await settled(reseller);
  await reseller.getByRole("link", { name: "Branding" }).click();
  want("the colour that is inherited", await reseller.getByLabel("Primary colour").first().getAttribute("placeholder"), "#1F5FBF");
  want("and in its picker", await reseller.getByLabel("Choose Primary colour").inputValue(), "#1f5fbf");
  await reseller.getByLabel("Product name").fill("Typed by the reseller");
  const rebranded = await boss.evaluate(async () => {
    const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const { data } = await (await fetch("/api/tenants/admins?limit=1", { headers })).json();
    const res = await fetch(`/api/tenants/admins/${data[0].id}/branding`, { method: "PUT", headers, body: JSON.stringify({ branding: { footer_text: "By the platform" } }) });
    return res.status;
  });
  want("the brand is changed meanwhile", rebranded, 200);
  reseller.removeAllListeners("console"); // the refusal below is asked for
  await reseller.getByRole("button", { name: "Save" }).click();
  await reseller.getByText("Somebody changed this meanwhile.").waitFor();
  want("what was typed stays", await reseller.getByLabel("Product name").inputValue(), "Typed by the reseller");
  await reseller.getByRole("button", { name: "Reload" }).click();
  await reseller.waitForFunction(() => [...document.querySelectorAll("textarea")].some((e) => e.value === "By the platform"));
  await reseller.getByLabel("Upload Logo").first().setInputFiles({ name: "logo.svg", mimeType: "image/svg+xml", buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20" onload="alert(1)"><script>alert(1)</script><rect width="40" height="20" fill="#1f5fbf"/></svg>') });
  await reseller.getByText("Uploaded. Save to use it.").waitFor();
  await picture(reseller, "admin-branding-uploaded");
  await reseller.getByRole("button", { name: "Save" }).click();
  await reseller.getByText("Saved", { exact: true }).waitFor();
  await reseller.reload();
  await settled(reseller);
  const logo = reseller.locator("header img.logo");
  await logo.waitFor();
  want("the logo is from here", /^\/assets\/logo\/[0-9a-f]{64}\.svg$/.test(await logo.getAttribute("src")), true);
  await reseller.waitForFunction(() => document.querySelector("header img.logo").naturalWidth > 0);

  // The suspension, by keys; it bites at once, on what is open too.
  owner.removeAllListeners("console"); // what they are refused is asked for
  member.removeAllListeners("console");
  await boss.goto("/app/organizations/acme-corp?tab=danger");
  await settled(boss);
  await press(boss, "Suspend this organization");
  await dialog(boss).waitFor();
  await boss.keyboard.type("Payment overdue");
  await boss.keyboard.press("Enter");
  await dialog(boss).getByText("3 users").waitFor();
  await press(boss, "Suspend");
  await gone(boss);
  await boss.getByText("Payment overdue").waitFor();
  await owner.getByRole("alert").getByText("Your organization is suspended.").waitFor();
  await picture(owner, "owner-suspended");
  await owner.getByRole("link", { name: "Usage" }).click();
  await owner.getByText("Usage against limits").waitFor(); // what the notice says stays open
  await picture(boss, "superadmin-organization-suspended");
  await member.goto("/app");
  await member.getByRole("alert").getByText("Your organization is suspended.").waitFor();
  await member.getByRole("heading", { name: "Usage against limits" }).waitFor();

  // Who signs out is out, in this browser and for the API.
  const token = await member.evaluate(() => JSON.parse(sessionStorage.getItem("tenantry.access")).token);
  await member.getByRole("button", { name: "Sign out" }).click();
  await member.getByText("You are signed out.").waitFor();
  await picture(member, "public-signed-out");
  const res = await fetch(`${base}/api/auth/me`, { headers: { Authorization: `Bearer ${token}` } });
  want("the token after signing out", res.status, 401);
  await member.goto("/app");
  want("the application after signing out", new URL(member.url()).pathname, "/login");
  if (!boss.url().includes("danger")) fault("the end", boss.url());

  // Whose session is ended elsewhere loses nothing that is being typed.
  boss.removeAllListeners("console"); // the refusals below are asked for
  const endSession = (next) => boss.evaluate(async (next) => {
    const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
    await fetch("/api/auth/logout", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
    if (next) history.pushState({}, "", next);
  }, next);
  const backIn = async (page, email, password) => {
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  await go(boss, "/app/groups");
  await boss.getByRole("button", { name: "New group" }).click();
  await dialog(boss).getByLabel("Name").fill("Typed before the session ended");
  await endSession();
  await dialog(boss).getByRole("button", { name: "Save" }).click();
  const [elsewhere] = await Promise.all([boss.context().waitForEvent("page"), dialog(boss).getByRole("link", { name: "Sign in in another tab" }).click()]);
  await accessible(boss, "an ended session");
  await backIn(elsewhere, root.email, root.password);
  await elsewhere.waitForURL((u) => u.pathname.startsWith("/app"));
  await elsewhere.close();
  await dialog(boss).getByRole("button", { name: "Save" }).click();
  await gone(boss);
  await boss.getByText("Typed before the session ended").waitFor();

  // With nothing typed it is told at the sign-in page, and comes back to the same page.
  await endSession("/app/plugins");
  await boss.getByText("Your session has ended. Sign in again.").waitFor();
  await backIn(boss, root.email, root.password);
  await boss.waitForURL((u) => u.pathname === "/app/plugins");
});
