// Every page of every role and what opens on it, on the demo data: accessible in
// light and dark, within the width of a phone in English and German, silent, and
// a picture of each.
import { accessible, fault, fits, go, paint, picture, run, settled, signIn, visitor, want } from "./lib.mjs";

const password = "tenantry-demo-login";
const light = ["/login", "/signup", "/forgot", "/reset", "/accept", "/setup", "/status?token=x", "/nowhere"];
const admin = ["overview", "organizations", "credits", "people", "branding", "audit"];
const organization = ["overview", "usage", "credits", "plugins", "members", "domain", "keys", "audit", "access", "danger"];
const tabs = (path, names) => names.map((n) => `${path}?tab=${n}`);

// idOf finds somebody's own number.
const idOf = (page, field) => page.evaluate(async (f) => {
  const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
  const me = await (await fetch("/api/auth/me", { headers: { Authorization: `Bearer ${token}` } })).json();
  return me.roles.find((r) => r[f])?.[f];
}, field);

// requestOf is the page of a request that is in a state: the demo's story goes on
// to the present, so which one is hangs on the day.
const requestOf = async (page, status) => `/requests/${await page.evaluate(async (s) => {
  const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
  const all = await (await fetch(`/api/tenants/requests?limit=1&status=${s}`, { headers: { Authorization: `Bearer ${token}` } })).json();
  return all.data[0].id;
}, status)}`;

const roles = [
  { role: "superadmin", email: "ada.berg@tenantry.example", pages: async (p) => ["/", "/requests", "/requests?status=active&page=2", "/requests?tab=figures&days=90", ...(await Promise.all(["active", "rejected", "pending_approval", "approved"].map((s) => requestOf(p, s)))), "/organizations", "/organizations?effective_status=suspended", "/organizations?q=nobody", ...tabs("/organizations/1", organization), "/admins", ...tabs("/admins/1", admin), "/groups", "/plugins", "/organizations?sort=name", "/transactions/1", "/accounts/1", "/meters", "/system", "/audit", "/keys", "/access", "/access?user=4&method=PUT&path=/api/tenants/organizations/1/edit", "/settings", "/settings?tab=branding", "/settings?tab=history", "/notifications", "/profile", "/nowhere"] },
  { role: "admin", email: "lena.hoffmann@northwind.example", pages: async (p) => ["/", "/organizations", ...tabs(`/admins/${await idOf(p, "admin_id")}`, ["credits", "branding", "people"]), "/audit", "/transactions/1", "/notifications"] },
  { role: "owner", email: "tess.bauer@adler-optik.example", pages: async (p) => ["/", ...tabs(`/organizations/${await idOf(p, "organization_id")}`, ["usage", "credits", "members", "keys"]), "/audit", "/profile"] },
  { role: "manager", email: "liam.petrov@adler-optik.example", pages: async (p) => ["/", ...tabs(`/organizations/${await idOf(p, "organization_id")}`, ["usage", "credits", "plugins", "members"]), "/notifications"] },
  { role: "member", email: "uwe.kaya@adler-optik.example", pages: async (p) => ["/", ...tabs(`/organizations/${await idOf(p, "organization_id")}`, ["usage", "plugins"])] },
];

const nameOf = (path) => path.replace(/[/?=&]+/g, "-").replace(/^-|-$/g, "") || "home";
let turn = 0; // light and dark by turns, where no pictures are made
const expected = (text) => /404|422|403/.test(text); // a page about what is not there asks for it

const dialog = (page) => page.getByRole("dialog");
const press = (name) => (page) => page.getByRole("button", { name }).first().click();
const look = (page) => dialog(page).getByRole("button", { name: "See what it does" }).click();
const reason = (page) => dialog(page).getByLabel("Reason").fill("Payment overdue");
const touches = (page) => page.getByText("This touches:").waitFor();

const pending = (page) => requestOf(page, "pending_approval");

// opened is what pages show once somebody has pressed something: a name, where
// and how to get there.
const opened = [
  ["approval", pending, press("Approve"), look, touches],
  ["rejection", pending, press("Reject")],
  ["credits", "/organizations/1", press("Add credits")],
  ["limits", "/organizations/1", press("Limits")],
  ["return", "/organizations/1?tab=credits", press("Take back"), (page) => dialog(page).getByLabel("Amount").fill("100"), reason, look, (page) => page.getByText("Adler Optik Group: ").waitFor()],
  ["acting", "/organizations/1?tab=access", press("Act for a member")],
  ["suspension", "/organizations/1?tab=danger", press("Suspend this organization"), reason, look, touches],
  ["transfer", "/organizations/1?tab=danger", press("Transfer to another admin")],
  ["bulk", "/organizations", (page) => page.getByLabel("Choose all").check(), press(/^Suspend \d+$/), reason, look, touches],
  ["chosen", "/requests?status=pending_approval", (page) => page.getByLabel("Choose all").check()],
  ["saved", "/requests?status=pending_approval&utm_source=google", press("Save filter"), async (page) => want("what was chosen elsewhere", await page.getByRole("button", { name: /^Approve \d/ }).count(), 0)],
  ["grant", "/admins/1", press("Grant credits")],
  ["admin", "/admins", press("New admin")],
  ["group", "/groups", press("New group")],
  ["plugin", "/plugins", press("Details")],
  ["meter", "/meters", press("New meter")],
  ["key", "/keys", press("New key")],
  ["defaults", "/settings", press("Edit")],
  ["event", "/audit?action=organization.updated", press("Details")],
  ["ledger", "/system", press("Check the ledger"), (page) => page.getByText("transactions").first().waitFor()],
  ["palette", "/", (page) => page.keyboard.press("Control+K"), (page) => dialog(page).getByRole("combobox").fill("atlas"), (page) => dialog(page).getByText("Admin: Atlas").waitFor()],
  ["refused", "/organizations?sort=nonsense", (page) => page.getByRole("alert").locator("code").first().waitFor()],
  ["named", "/audit?actor_id=1&organization_id=1&admin_id=1", async (page) => {
    for (const [field, name] of [["User", "Ada Berg · ada"], ["Organization", "Adler Optik Group · adler"], ["Admin", "Northwind"]]) {
      await page.waitForFunction(([label, start]) => [...document.querySelectorAll("input")].some((e) => e.labels?.[0]?.textContent === label && e.value.startsWith(start)), [field, name]);
    }
  }],
  ["table", "/", press("As a table")],
  ["mail", "/admins/1?tab=branding", (page) => page.getByText("Mail", { exact: true }).click(), (page) => page.getByText("Subject: Welcome to").waitFor()],
];

await run(async (browser) => {
  for (const dark of [false, true]) {
    const scheme = dark ? "dark" : "light";
    const page = await visitor(browser, { dark, expect: expected });
    for (const path of light) {
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(path);
      await accessible(page, `${scheme} ${path}`);
      await picture(page, `public-${nameOf(path)}-${scheme}`);
      await page.setViewportSize({ width: 390, height: 800 });
      await fits(page, `390 px ${path}`);
      if (!dark) await picture(page, `public-${nameOf(path)}-phone`);
    }
    await page.context().close();
  }
  for (const { role, email, pages } of roles) {
    const page = await visitor(browser, { expect: expected });
    await signIn(page, email, password);
    for (const path of await pages(page)) {
      await page.setViewportSize({ width: 1280, height: 900 });
      await go(page, `/app${path}`.replace(/\/$/, ""));
      for (const scheme of process.env.TENANTRY_SCREENSHOTS ? ["light", "dark"] : [["light", "dark"][turn++ % 2]]) {
        await paint(page, scheme);
        await accessible(page, `${role} ${scheme} ${path}`);
        await picture(page, `${role}-${nameOf(path)}-${scheme}`);
      }
      await paint(page, "light");
      await page.setViewportSize({ width: 390, height: 800 });
      await fits(page, `${role} 390 px ${path}`);
      await picture(page, `${role}-${nameOf(path)}-phone`);
    }
    if (role === "superadmin") await dialogs(page);
    await inGerman(page, role, await pages(page));
    await page.context().close();
  }
  await german(browser);
  for (const zone of ["Pacific/Honolulu", "Pacific/Auckland"]) await elsewhere(browser, zone);
});

async function dialogs(page) {
  for (const [name, path, ...steps] of opened) {
    await page.setViewportSize({ width: 1280, height: 900 });
    await go(page, `/app${typeof path === "string" ? path : await path(page)}`.replace(/\/$/, ""));
    for (const step of steps) await step(page);
    for (const scheme of process.env.TENANTRY_SCREENSHOTS ? ["light", "dark"] : [["light", "dark"][turn++ % 2]]) {
      await paint(page, scheme);
      await accessible(page, `${name} ${scheme}`);
      await picture(page, `opened-${name}-${scheme}`);
    }
    await paint(page, "light");
    await page.setViewportSize({ width: 390, height: 800 });
    await fits(page, `390 px ${name}`);
    await picture(page, `opened-${name}-phone`);
    if (await dialog(page).isVisible()) await dialog(page).getByRole("button", { name: "Close" }).click();
  }
}

// inGerman goes over the pages once more in the language of the longer words.
async function inGerman(page, role, paths) {
  await page.evaluate(() => { document.cookie = "tenantry_lang=de; path=/"; });
  await page.goto("/app");
  await settled(page);
  for (const path of paths) {
    if (process.env.TENANTRY_SCREENSHOTS) await page.setViewportSize({ width: 1280, height: 900 });
    await go(page, `/app${path}`.replace(/\/$/, ""));
    await picture(page, `german-${role}-${nameOf(path)}`);
    await page.setViewportSize({ width: 390, height: 800 });
    await fits(page, `${role} 390 px in German ${path}`);
  }
}

// elsewhere holds that a day of the installation is that day wherever one looks.
async function elsewhere(browser, zone) {
  const page = await visitor(browser, { zone });
  await signIn(page, roles[0].email, password);
  const stats = await page.evaluate(async () => {
    const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
    return (await fetch("/api/tenants/requests/stats?days=30", { headers: { Authorization: `Bearer ${token}` } })).json();
  });
  await press("As a table")(page);
  const last = page.getByRole("region", { name: "Registrations per day" }).getByRole("row").last();
  const day = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" }).format(new Date(stats.by_day.at(-1).date));
  want(`the last day in ${zone}`, (await last.getByRole("cell").first().innerText()).replaceAll("\u00a0", " "), day);
  await go(page, "/app/organizations/1?tab=usage");
  const now = new Date();
  const first = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" }).format(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
  const end = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" }).format(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 0));
  await page.getByText(`${first} – ${end}`.replaceAll(" ", "\u00a0").replace("\u00a0–\u00a0", " – ")).waitFor();
  await page.context().close();
}

async function german(browser) {
  const page = await visitor(browser, { lang: "de-DE" });
  await page.goto("/login");
  await page.getByLabel("E-Mail").fill(roles[0].email);
  await page.getByLabel("Passwort").fill(password);
  await page.getByRole("button", { name: "Anmelden" }).click();
  await page.getByRole("heading", { name: "Registrierungen pro Tag" }).waitFor();
  await go(page, "/app/organizations");
  await page.getByRole("columnheader", { name: "Verfügbar" }).waitFor();
  want("the language", await page.locator("html").getAttribute("lang"), "de");
  // What the server tells, too, but for names and reasons.
  await go(page, "/app/notifications");
  await page.getByText(/beantragt die Organisation/).first().waitFor();
  for (const row of await page.locator("tbody tr").allInnerTexts()) {
    if (/\b(the|was|your|of|asks|uses|pace|reason|credits|limit)\b/i.test(row.replace(/Grund: .*/, ""))) fault("a notification in German", row);
  }
  page.removeAllListeners("console"); // the refusal below is asked for
  await page.evaluate(() => history.pushState({}, "", "/app/organizations/424242"));
  await page.getByRole("alert").getByText("Hier ist nichts, was Sie sehen können.").waitFor();
  await go(page, "/app/organizations");
  await accessible(page, "in German");
  await picture(page, "superadmin-organizations-german");
  await page.setViewportSize({ width: 390, height: 800 });
  await page.goto("/app/organizations/1?tab=danger");
  await settled(page);
  const { x, width } = await page.getByRole("tab", { selected: true }).boundingBox();
  want("the chosen tab is in sight on a phone", x >= 0 && x + width <= 390, true);
}
