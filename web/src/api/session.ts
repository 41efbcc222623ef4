// The access token lives in this tab; the session itself is a cookie that
// scripts cannot read, traded for the next access token at POST /session. While
// somebody acts for a member, the tab has the token of that as well.

type Kept = { token: string; until: number };

const name = "tenantry.access";
const margin = 30_000; // ms before its end at which a token is renewed

type Acting = Kept & { back: string };

const actor = "tenantry.acting";

let kept = read<Kept>(name);
let acting = read<Acting>(actor);
let met = kept !== null; // somebody was signed in, in this tab

function read<T>(key: string): T | null {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null") as T | null;
  } catch {
    return null;
  }
}

function keep(k: Kept | null) {
  kept = k;
  met ||= k !== null;
  if (k) sessionStorage.setItem(name, JSON.stringify(k));
  else sessionStorage.removeItem(name);
}

let renewing: Promise<string | null> | null = null;

// renew asks for the next token. Tabs take turns, for each cookie is good for
// one use; and the answer is taken even if this page goes away meanwhile.
async function renew(): Promise<string | null> {
  const ask = async () => {
    const res = await fetch("/session", { method: "POST", keepalive: true });
    if (res.status === 401) {
      keep(null);
      return null;
    }
    if (!res.ok) throw await res.json();
    const t = (await res.json()) as { access_token: string; expires_in: number };
    keep({ token: t.access_token, until: Date.now() + t.expires_in * 1000 });
    return t.access_token;
  };
  return "locks" in navigator ? navigator.locks.request("tenantry.session", ask) : ask();
}

// act shows the console as a member sees it, by a token that ends at a time;
// afterwards one is oneself again, at back.
export function act(token: string, end: string, back: string) {
  sessionStorage.setItem(actor, JSON.stringify({ token, until: Date.parse(end), back } satisfies Acting));
  location.assign("/app");
}

// beOneself ends the acting in this tab.
export function beOneself() {
  const back = acting?.back ?? "/app";
  sessionStorage.removeItem(actor);
  location.assign(back);
}

let owner: number | null = null; // whom this page is of
let lost = false; // its session has ended while it stayed

// belongsTo says whose page this is.
export function belongsTo(user: number) {
  owner = user;
}

// regained is a token of another session, where it is of whom the page is: for
// anybody else the page begins anew, and nothing typed here is sent as them.
async function regained(token: string | null): Promise<string | null> {
  if (!lost || token === null) return token;
  const res = await fetch("/api/auth/me", { headers: { Authorization: `Bearer ${token}` } });
  const me = (await res.json()) as { user?: { id: number } };
  if (me.user?.id !== owner) {
    location.assign("/app");
    return new Promise(() => undefined);
  }
  lost = false;
  return token;
}

// accessToken gives a token that is good, or null where nobody is signed in.
// Where the leave to act for a member has ended it gives none, and the page goes
// away: nothing that was meant as that member is tried as oneself.
export async function accessToken(fresh = false): Promise<string | null> {
  if (acting) {
    if (!fresh && acting.until > Date.now()) return acting.token;
    beOneself();
    return new Promise(() => undefined);
  }
  if (!fresh && kept && kept.until - margin > Date.now()) return kept.token;
  renewing ??= renew().then(regained).finally(() => {
    renewing = null;
  });
  return renewing;
}

// leave goes to the sign-in page, which says why, and comes back here
// afterwards. Where something is being typed it stays: that would be lost, and
// one can sign in in another tab.
export function leave() {
  keep(null);
  lost = true;
  if (document.querySelector("[role=dialog] form, form[data-typed]")) return;
  const here = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(here)}${met ? "&done=ended" : ""}`);
}

// end forgets the session in this browser.
export async function end() {
  keep(null);
  await fetch("/session/end", { method: "POST" });
  location.assign("/login?done=out");
}
