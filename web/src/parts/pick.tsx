import { Select } from "@mantine/core";
import { useEffect, useState } from "react";
import { get, type Schemas } from "../api/client";
import { t } from "../i18n";

export type Choice = { value: string; label: string };
export type Find = (q: string) => Promise<Choice[]>;

const most = 20; // that a search shows

// idIn is the number in a search such as #4, which asks for that one alone.
const idIn = (q: string) => /^#(\d+)$/.exec(q)?.[1];

// What can be picked by name, or by number.
const adminNamed = (a: Schemas["Admin"]) => ({ value: String(a.id), label: a.company_name && a.company_name !== a.name ? `${a.name} · ${a.company_name}` : a.name });
const personNamed = (id: number, u: { name: string; email: string }) => ({ value: String(id), label: u.name ? `${u.name} · ${u.email}` : u.email });
const organizationNamed = (o: Schemas["OrgOrganization"]) => ({ value: String(o.id), label: `${o.name} · ${o.slug}` });

export const findAdmin: Find = async (q) => {
  const id = idIn(q);
  return (id ? [await get("/api/tenants/admins/{id}", { id })] : ((await get("/api/tenants/admins", {}, { q, limit: most })).data ?? [])).map(adminNamed);
};
export const findUser: Find = async (q) => {
  const id = idIn(q);
  return (id ? [await get("/api/tenants/users/{id}", { id })] : ((await get("/api/tenants/users", {}, { q, limit: most })).data ?? [])).map((u) => personNamed(u.id, u));
};
export const findOrganization: Find = async (q) => {
  const id = idIn(q);
  return (id ? [await get("/api/tenants/organizations/{org_id}", { org_id: id })] : ((await get("/api/tenants/organizations", {}, { q, limit: most })).data ?? [])).map(organizationNamed);
};

// findMember finds people of an organization: one function for each, since a
// Pick asks again when it is given another.
export function findMember(organization: number): Find {
  const known = finders.get(organization);
  if (known) return known;
  const path = "/api/tenants/organizations/{org_id}/members";
  const find: Find = async (q) => {
    const id = idIn(q);
    return (id ? [await get(`${path}/{user_id}`, { org_id: organization, user_id: id })] : ((await get(path, { org_id: organization }, { q, limit: most })).data ?? [])).map((m) => personNamed(m.user_id, m));
  };
  finders.set(organization, find);
  return find;
}
const finders = new Map<number, Find>();

type Props = { find: Find; label: string; value: string; set: (v: string) => void; name?: string; hint?: string; error?: string; required?: boolean; first?: boolean; size?: "sm"; always?: Choice[] };

// Pick chooses one of many by typing a part of its name. Its value is the id.
export function Pick({ find, label, value, set, name, hint, error, required, first, size, always = [] }: Props) {
  const [text, setText] = useState("");
  const [found, setFound] = useState<Choice[]>([]);
  useEffect(() => {
    let off = false;
    const wait = setTimeout(() => {
      find(text !== `#${value}` && found.some((f) => f.label === text) ? "" : text.trim()).then((all) => !off && setFound((old) => keep(all, old, value)), () => undefined);
    }, text ? 200 : 0);
    return () => {
      off = true;
      clearTimeout(wait);
    };
  }, [text, find]);
  const all = keep([...always, ...found], [], value);
  return (
    <Select label={label} description={hint} error={error} required={required} size={size} name={name} data-autofocus={first || undefined} searchable clearable={!required} clearButtonProps={{ "aria-label": t("Clear {name}", { name: label }) }}
      value={value || null} onChange={(v) => set(v ?? "")} onSearchChange={setText} data={all} filter={({ options }) => options} limit={most + 1} nothingFoundMessage={t("There is nothing here.")} maxDropdownHeight={260}
      comboboxProps={{ transitionProps: { duration: 0 } }} placeholder={t("Type a part of the name")} />
  );
}

// keep leaves what is chosen among the choices, also when the search has gone on.
function keep(all: Choice[], old: Choice[], value: string): Choice[] {
  if (!value || all.some((c) => c.value === value)) return all;
  return [...all, old.find((c) => c.value === value) ?? { value, label: `#${value}` }];
}
