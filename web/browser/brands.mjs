// Three brands that nobody should choose, each on a host of its own, in light
// and dark: pages and open dialogs stay readable, and the name is only text.
import { accessible, base, fault, picture, run, settled, signIn, visitor, want } from "./lib.mjs";

const { TENANTRY_EMAIL: email, TENANTRY_PASSWORD: password } = process.env;
const brands = [
  { key: "yellow", app_name: "Yellow", primary_color: "#FFE600", secondary_color: "#FFFFFF" },
  { key: "black", app_name: "Black", primary_color: "#000000", secondary_color: "#000000" },
  { key: "script", app_name: "<script>alert(1)</script>", primary_color: "#808080", secondary_color: "#33FF57", footer_text: "a & \"b\" 'c' ${d} {{e}}" },
];

async function api(token, method, path, body) {
  const res = await fetch(base + path, { method, headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) }, body: JSON.stringify(body) });
  const answer = await res.json();
  if (!res.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}

// drawn holds links, lines and bars against the grounds that they stand on; axe
// looks at text alone.
async function drawn(page, where) {
  const faint = await page.evaluate(() => {
    const css = getComputedStyle(document.querySelector(".mantine-Card-root"));
    const parts = (c) => (c.startsWith("#") ? [1, 3, 5].map((i) => Number.parseInt(c.slice(i, i + 2), 16)) : c.match(/\d+/g).slice(0, 3).map(Number));
    const light = (c) => parts(c).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
    const least = { "--line-brand": 3, "--line-second": 3, "--line": 3, "--mantine-color-anchor": 4.5 };
    return Object.entries(least).filter(([name, l]) => ratio(css.getPropertyValue(name).trim(), css.backgroundColor) < l).map(([name]) => name);
  });
  want(`${where}: too faint on a card`, faint.join(), "");
}

const { access_token: token } = await api(null, "POST", "/api/auth/login", { email, password });
for (const b of brands) {
  const { key, ...branding } = b;
  const admin = await api(token, "POST", "/api/tenants/admins", { name: key, contact_email: `it@${key}.example`, custom_domain: `${key}.example` });
  await api(token, "POST", `/api/tenants/admins/${admin.id}/domain/verify`, { override: true, reason: "a test" });
  await api(token, "PUT", `/api/tenants/admins/${admin.id}/branding`, { branding });
  b.admin = admin.id;
}

await run(async (browser) => {
  for (const b of brands) {
    const at = base.replace("127.0.0.1", `${b.key}.example`);
    for (const dark of [false, true]) {
      const where = `${b.key} ${dark ? "dark" : "light"}`;
      const page = await visitor(browser, { at, dark });
      page.on("dialog", (d) => {
        fault(where, "a script of the brand ran");
        void d.dismiss();
      });
      await page.goto("/login");
      want(`${where}: the name`, await page.locator(".brand").textContent(), b.app_name);
      await accessible(page, `${where} sign-in`);
      await signIn(page, email, password, `/app/admins/${b.admin}`);
      want(`${where}: the name inside`, await page.locator("header p").first().textContent(), b.app_name);
      await accessible(page, `${where} page`);
      await drawn(page, where);
      await picture(page, `brand-${b.key}-${dark ? "dark" : "light"}`);
      await page.getByRole("button", { name: "Suspend" }).click();
      await page.getByRole("dialog").getByLabel("Reason").fill("A reason");
      await page.getByRole("dialog").getByRole("button", { name: "See what it does" }).click();
      await page.getByRole("dialog").getByLabel(/to confirm/).waitFor();
      await accessible(page, `${where} dialog`);
      await page.keyboard.press("Escape");
      await page.getByRole("tab", { name: "Branding" }).click();
      await settled(page);
      await page.getByRole("heading", { name: "Preview" }).waitFor();
      await accessible(page, `${where} branding`);
      await page.context().close();
    }
  }
  // A host that is suspended says so, in its brand, and still lets people sign in.
  await api(token, "POST", `/api/tenants/admins/${brands[0].admin}/suspend`, { reason: "a test" });
  const visit = await visitor(browser, { at: base.replace("127.0.0.1", "yellow.example"), expect: (s) => /403/.test(s) });
  for (const path of ["/", "/signup"]) {
    const res = await visit.goto(path);
    want(`${path} of a suspended host`, res.status(), 403);
    await visit.getByRole("heading", { name: "Suspended" }).waitFor();
    await picture(visit, "public-suspended");
    want("its brand", await visit.locator(".brand").textContent(), "Yellow");
  }
  await visit.getByRole("link", { name: "Sign in" }).click();
  await visit.getByLabel("Password").waitFor();
}, brands.map((b) => base.replace("127.0.0.1", `${b.key}.example`)));
