import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { limit, num, percent, t } from "../i18n";
import { useRights } from "../me";
import { Facts, Page } from "../parts/bits";
import { type Action, asNumber, asText, Dialog, type Entered, type Field } from "../parts/dialog";
import { Go, useGet } from "../parts/link";
import { type Column, List } from "../parts/list";
import { PluginNames } from "../parts/whose";

type PartnerGroup = Schemas["PartnerGroup"];

const columns: Column<PartnerGroup>[] = [
  { head: "Name", cell: (g) => g.name, csv: (g) => g.name },
  { head: "Discount", cell: (g) => percent(g.credit_discount_percent), csv: (g) => g.credit_discount_percent, right: true },
  { head: "Admins", cell: (g) => <Go to="/admins" search={{ partner_group_id: String(g.id) }}>{num(g.member_count)}</Go>, csv: (g) => g.member_count, right: true },
  { head: "Description", cell: (g) => g.description ?? "–", csv: (g) => g.description },
];

const bound = (n: number | null, unit = "") => (n === null ? t("unbound") : limit(n, unit));

export default function Groups() {
  const { superadmin } = useRights();
  const [action, setAction] = useState<Action | null>(null);
  const plugins = useGet("/api/tenants/available-plugins", {}, { limit: 200 });
  const groups = useGet("/api/tenants/partner-groups", {}, { limit: 200 });
  const keys = (plugins.data?.data ?? []).map((p) => ({ value: p.key, label: p.name }));
  return (
    <Page title={t("Partner groups")} aside={superadmin && <Button onClick={() => setAction(edit(null, keys))}>{t("New group")}</Button>}>
      <List path="/api/tenants/partner-groups" label={t("Partner groups")} columns={columns} id={(g: PartnerGroup) => g.id} filters={[{ name: "q", label: "Search for" }]}
        detail={(g) => (
          <>
            <Facts of={[
              ["Organizations", bound(g.max_organizations)], ["Storage", bound(g.max_storage_gb, "GB")], ["Users", bound(g.max_users)], ["Bandwidth", bound(g.max_bandwidth_gb, "GB")],
              ["Plugins", g.allowed_plugins ? <PluginNames keys={g.allowed_plugins} /> : t("all")], ["May hide “powered by”", g.may_hide_powered_by ? t("yes") : t("no")], ["May oversell", g.oversell ? t("yes") : t("no")],
            ]} />
            <Group gap="xs" mt="sm">
              <Button size="compact-sm" variant="default" onClick={() => setAction(edit(g, keys))}>{t("Edit")}</Button>
              <Button size="compact-sm" variant="default" onClick={() => setAction(remove(g, groups.data?.data ?? []))}>{t("Delete")}</Button>
            </Group>
          </>
        )} />
      <Dialog action={action} close={() => setAction(null)} />
    </Page>
  );
}

const numbers: Field[] = [
  { name: "max_organizations", label: "Organizations", type: "number", least: 0 }, { name: "max_storage_gb", label: "Storage (GB)", type: "number", least: 0 },
  { name: "max_users", label: "Users", type: "number", least: 0 }, { name: "max_bandwidth_gb", label: "Bandwidth (GB)", type: "number", least: 0 },
];

function edit(g: PartnerGroup | null, keys: { value: string; label: string }[]): Action {
  const body = (v: Entered) => ({
    name: String(v.name), description: asText(v.description), credit_discount_percent: Number(v.credit_discount_percent),
    max_organizations: asNumber(v.max_organizations), max_storage_gb: asNumber(v.max_storage_gb), max_users: asNumber(v.max_users), max_bandwidth_gb: asNumber(v.max_bandwidth_gb),
    allowed_plugins: v.all === true ? null : (v.allowed_plugins as string[]), may_hide_powered_by: v.may_hide_powered_by === true, oversell: v.oversell === true,
  });
  const s = (n: number | null | undefined) => (n === null || n === undefined ? "" : String(n));
  return {
    title: g ? t("Edit {name}", { name: g.name }) : t("New group"), button: t("Save"), done: t("Saved"), danger: Boolean(g),
    ...(g && { guard: { path: "/api/tenants/partner-groups/{id}", params: { id: g.id }, seen: g } }),
    intro: t("An empty bound is none."),
    fields: [
      { name: "name", label: "Name", required: true }, { name: "description", label: "Description", type: "long" },
      { name: "credit_discount_percent", label: "Discount (%)", type: "number", least: 0, step: "0.01", hint: t("It lowers the price of credits, never their number; what was granted before stays.") },
      ...numbers, { name: "all", label: "All plugins", type: "switch" }, { name: "allowed_plugins", label: "Allowed plugins", type: "many", options: keys },
      { name: "may_hide_powered_by", label: "May hide “powered by”", type: "switch" }, { name: "oversell", label: "May oversell", type: "switch" },
    ],
    initial: {
      name: g?.name ?? "", description: g?.description ?? "", credit_discount_percent: s(g?.credit_discount_percent ?? 0), max_organizations: s(g?.max_organizations), max_storage_gb: s(g?.max_storage_gb),
      max_users: s(g?.max_users), max_bandwidth_gb: s(g?.max_bandwidth_gb), all: !g?.allowed_plugins, allowed_plugins: g?.allowed_plugins ?? [], may_hide_powered_by: g?.may_hide_powered_by ?? true, oversell: g?.oversell ?? false,
    },
    make: (v) => (g ? call({ method: "put", path: "/api/tenants/partner-groups/{id}", params: { id: g.id }, body: body(v) }) : call({ method: "post", path: "/api/tenants/partner-groups", body: body(v) })),
  };
}

function remove(g: PartnerGroup, all: PartnerGroup[]): Action {
  const others = all.filter((o) => o.id !== g.id).map((o) => ({ value: String(o.id), label: o.name }));
  return {
    title: t("Delete {name}", { name: g.name }), button: t("Delete"), danger: true, done: t("Deleted"),
    fields: g.member_count > 0 ? [{ name: "to", label: "Its admins go to", type: "select", options: others, required: true }] : [],
    make: (v) => call({ method: "delete", path: "/api/tenants/partner-groups/{id}", params: { id: g.id }, query: v.to ? { reassign_to: Number(v.to) } : {} }),
  };
}
