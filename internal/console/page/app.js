// The plain page: sign in, look at what the role may see, sign out. Tokens
// live in this tab's session storage and nowhere else.
const $ = (id) => document.getElementById(id);
const el = (tag, props = {}, ...children) => {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children);
  return e;
};

let tokens = JSON.parse(sessionStorage.getItem("tokens") ?? "null");
const keep = (t) => {
  tokens = t;
  if (t) sessionStorage.setItem("tokens", JSON.stringify(t));
  else sessionStorage.removeItem("tokens");
};

// call sends one request and throws the problem document of a refusal; an
// access token that has run out is refreshed once.
async function call(method, path, body, again = true) {
  const headers = {};
  if (tokens) headers.Authorization = `Bearer ${tokens.access_token}`;
  if (body) headers["Content-Type"] = "application/json";
  const res = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (res.status === 401 && again && tokens?.refresh_token && path !== "/api/auth/refresh") {
    try {
      keep(await call("POST", "/api/auth/refresh", { refresh_token: tokens.refresh_token }, false));
      return call(method, path, body, false);
    } catch {
      keep(null);
      show();
    }
  }
  const data = res.status === 204 ? null : await res.json();
  if (!res.ok) throw data;
  return data;
}

const said = (problem) => {
  const fields = (problem.errors ?? []).filter((e) => e.message !== problem.detail).map((e) => `${e.field}: ${e.message}`).join(" ");
  return `${problem.detail ?? "The server did not answer."} ${fields} ${problem.request_id ? `(${problem.request_id})` : ""}`;
};

// form shows fields and sends those that are filled in; done gets the answer.
// A field with a fifth word, "optional", may stay empty.
function form(title, fields, button, send, done) {
  const alert = el("p", { role: "alert" });
  const inputs = fields.map(([name, label, type, autocomplete, optional]) => [name, el("input", { name, type, autocomplete, required: !optional }), label]);
  const f = el("form", {}, el("h1", { textContent: title }),
    ...inputs.map(([, input, label]) => el("label", {}, label, input)), el("button", { textContent: button }), alert);
  f.onsubmit = async (event) => {
    event.preventDefault();
    alert.textContent = "";
    try {
      done(await send(Object.fromEntries(inputs.map(([name, input]) => [name, input.value]).filter(([, value]) => value))));
    } catch (problem) {
      alert.textContent = said(problem);
    }
  };
  $("main").replaceChildren(f);
  inputs[0][1].focus();
}

const signIn = () => form("Sign in", [["email", "E-mail", "email", "username"], ["password", "Password", "password", "current-password"]],
  "Sign in", (b) => call("POST", "/api/auth/login", b, false), (t) => { keep(t); history.replaceState(null, "", "/"); show(); });

const token = () => new URLSearchParams(location.hash.slice(1)).get("token") ?? "";

const setUp = () => form("Set up Tenantry", [["name", "Your name", "text", "name"], ["email", "E-mail", "email", "username"], ["password", "Password", "password", "new-password"]],
  "Make the first superadmin", (b) => call("POST", "/api/auth/setup", { ...b, token: token() }, false), () => { history.replaceState(null, "", "/"); signIn(); });

const reset = () => form("New password", [["password", "Password", "password", "new-password"]],
  "Set the password", (b) => call("POST", "/api/auth/password/reset", { ...b, token: token() }, false), () => { history.replaceState(null, "", "/"); signIn(); });

const invitation = () => form("Accept the invitation", [["name", "Your name, if you are new here", "text", "name", "optional"], ["password", "A new password, or the one of your account", "password", "new-password", "optional"]],
  "Accept", (b) => call("POST", "/api/auth/invitations/accept", { ...b, token: token() }, false), () => { history.replaceState(null, "", "/"); signIn(); });

async function status() {
  try {
    const s = await call("GET", `/api/tenants/register/status?token=${encodeURIComponent(token() || new URLSearchParams(location.search).get("token") || "")}`);
    const told = Object.entries(s).filter(([, v]) => v !== null);
    $("main").replaceChildren(el("h1", { textContent: "Your request" }), facts(Object.fromEntries(told)));
  } catch (problem) {
    $("main").replaceChildren(el("p", { role: "alert", textContent: said(problem) }));
  }
}

const words = (v) => v === null || v === undefined ? "" : typeof v === "object" ? JSON.stringify(v) : String(v);

const label = (k) => (k[0].toUpperCase() + k.slice(1)).replaceAll("_", " ");

const facts = (thing) => el("div", { className: "table" }, el("table", {}, el("tbody", {},
  ...Object.entries(thing).map(([k, v]) => el("tr", {}, el("th", { textContent: label(k), scope: "row" }), el("td", { textContent: words(v) }))))));

function table(columns, rows) {
  return el("div", { className: "table" }, el("table", {},
    el("thead", {}, el("tr", {}, ...columns.map((c) => el("th", { textContent: label(c.replace(".", " ")), scope: "col" })))),
    el("tbody", {}, ...rows.map((r) => el("tr", {}, ...columns.map((c) => el("td", { textContent: words(c.split(".").reduce((o, k) => o?.[k], r)) })))))));
}

const views = {
  Requests: ["/api/tenants/requests", ["id", "company_name", "email", "desired_org_slug", "status", "utm_source", "created_at"]],
  Organizations: ["/api/tenants/organizations", ["id", "name", "slug", "effective_status", "admin_id", "credit_balance", "credit_limit", "created_at"]],
  Admins: ["/api/tenants/admins", ["id", "name", "company_name", "status", "credit_balance", "organization_count", "created_at"]],
  "Partner groups": ["/api/tenants/partner-groups", ["id", "name", "credit_discount_percent", "member_count"]],
  Plugins: ["/api/tenants/available-plugins", ["key", "name", "category", "version", "core"]],
  Audit: ["/api/tenants/audit-logs", ["occurred_at", "actor.name", "action", "target.type", "target.id", "outcome"]],
  Notifications: ["/api/tenants/notifications", ["created_at", "title", "body", "read"]],
  Settings: ["/api/tenants/settings"],
};

async function view(name) {
  const [path, columns] = views[name];
  for (const b of document.querySelectorAll("nav button")) b.setAttribute("aria-current", String(b.textContent === name));
  try {
    const data = await call("GET", path);
    const body = columns ? table(columns, data.data) : facts(data);
    $("view").replaceChildren(el("h1", { textContent: name }), el("p", { textContent: columns ? `${data.pagination.total} in all` : "" }), body);
  } catch (problem) {
    $("view").replaceChildren(el("p", { role: "alert", textContent: said(problem) }));
  }
}

async function home() {
  const me = await call("GET", "/api/auth/me");
  $("who").textContent = me.user.email;
  $("out").hidden = false;
  const holds = (...roles) => me.roles.some((r) => roles.includes(r.role));
  const names = holds("superadmin") ? Object.keys(views)
    : [...(holds("admin") ? ["Organizations"] : []), "Plugins", ...(holds("admin", "owner") ? ["Audit"] : []), "Notifications"];
  const nav = el("nav", { ariaLabel: "Views" }, ...names.map((n) => el("button", { textContent: n, onclick: () => view(n) })));
  $("main").replaceChildren(nav, el("section", { id: "view" }));
  await view(names[0]);
}

async function show() {
  $("who").textContent = "";
  $("out").hidden = true;
  const pages = { "/setup": setUp, "/reset": reset, "/accept": invitation, "/status": status };
  if (pages[location.pathname]) return pages[location.pathname]();
  if (!["/", "/login"].includes(location.pathname)) {
    return $("main").replaceChildren(el("h1", { textContent: "There is no such page" }), el("p", {}, el("a", { href: "/", textContent: "To the start" })));
  }
  if (!tokens) return signIn();
  try {
    await home();
  } catch (problem) {
    $("main").replaceChildren(el("p", { role: "alert", textContent: said(problem) }));
  }
}

$("out").onclick = async () => {
  try {
    await call("POST", "/api/auth/logout", {});
  } finally {
    keep(null);
    show();
  }
};

fetch("/api/tenants/branding/current").then((r) => r.json()).then(({ branding }) => {
  if (!branding) return;
  document.title = branding.app_name ?? "Tenantry";
  $("brand").textContent = branding.app_name ?? "Tenantry";
  $("footer").textContent = branding.footer_text ?? "";
}).catch(() => {});
show();
