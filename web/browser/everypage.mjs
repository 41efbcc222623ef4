// Every page of every role, on the demo data: accessible in light and dark,
// within the width of a phone, silent, and a picture of each.
import { accessible, fits, go, paint, picture, run, signIn, visitor, want } from "./lib.mjs";

const password = "tenantry-demo-login";
const light = ["/login", "/signup", "/forgot", "/reset", "/accept", "/setup", "/status?token=x", "/nowhere"];
const admin = ["overview", "organizations", "credits", "people", "branding", "audit"];
const organization = ["overview", "usage", "credits", "plugins", "members", "keys", "audit", "danger"];
const tabs = (path, names) => names.map((n) => `${path}?tab=${n}`);

// idOf finds somebody's own number.
const idOf = (page, field) => page.evaluate(async (f) => {
  const token = JSON.parse(sessionStorage.getItem("tenantry.access")).token;
  const me = await (await fetch("/api/auth/me", { headers: { Authorization: `Bearer ${token}` } })).json();
  return me.roles.find((r) => r[f])?.[f];
}, field);

const roles = [
  { role: "superadmin", email: "ada.berg@tenantry.example", pages: async () => ["/", "/requests", "/requests?status=active&page=2", "/requests/1", "/organizations", ...tabs("/organizations/1", organization), "/admins", ...tabs("/admins/1", admin), "/groups", "/plugins", "/organizations?sort=name", "/transactions/1", "/accounts/1", "/meters", "/system", "/audit", "/keys", "/access", "/settings", "/settings?tab=branding", "/settings?tab=history", "/notifications", "/profile", "/nowhere"] },
  { role: "admin", email: "lena.hoffmann@northwind.example", pages: async (p) => ["/", "/organizations", ...tabs(`/admins/${await idOf(p, "admin_id")}`, ["credits", "branding", "people"]), "/audit", "/transactions/1", "/notifications"] },
  { role: "owner", email: "tess.bauer@adler-optik.example", pages: async (p) => ["/", ...tabs(`/organizations/${await idOf(p, "organization_id")}`, ["usage", "credits", "members", "keys"]), "/audit", "/profile"] },
  { role: "manager", email: "liam.petrov@adler-optik.example", pages: async (p) => ["/", ...tabs(`/organizations/${await idOf(p, "organization_id")}`, ["usage", "credits", "plugins", "members"]), "/notifications"] },
  { role: "member", email: "uwe.kaya@adler-optik.example", pages: async (p) => ["/", ...tabs(`/organizations/${await idOf(p, "organization_id")}`, ["usage", "plugins"])] },
];

const nameOf = (path) => path.replace(/[/?=&]+/g, "-").replace(/^-|-$/g, "") || "home";
let turn = 0; // light and dark by turns, where no pictures are made
const expected = (text) => /404|422|403/.test(text); // a page about what is not there asks for it

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
    if (role === "superadmin") await suspension(page);
    await page.context().close();
  }
  await inGerman(browser);
});

// suspension opens a dangerous dialog as far as what it would do.
async function suspension(page) {
  await page.setViewportSize({ width: 1280, height: 900 });
  await go(page, "/app/organizations/1?tab=danger");
  await page.getByRole("button", { name: "Suspend this organization" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("Payment overdue");
  await page.getByRole("button", { name: "See what it does" }).click();
  await page.getByText("This touches:").waitFor();
  await accessible(page, "the suspension");
  await picture(page, "superadmin-suspension-light");
}

async function inGerman(browser) {
  const page = await visitor(browser, { lang: "de-DE" });
  await page.goto("/login");
  await page.getByLabel("E-Mail").fill(roles[0].email);
  await page.getByLabel("Passwort").fill(password);
  await page.getByRole("button", { name: "Anmelden" }).click();
  await page.getByRole("heading", { name: "Registrierungen pro Tag" }).waitFor();
  await go(page, "/app/organizations");
  await page.getByRole("columnheader", { name: "Verfügbar" }).waitFor();
  want("the language", await page.locator("html").getAttribute("lang"), "de");
  await accessible(page, "in German");
  await picture(page, "superadmin-organizations-german");
}
