import { Button, Code, Group } from "@mantine/core";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { named, quantity, said, t } from "../i18n";
import { useRights } from "../me";
import { Facts, Page } from "../parts/bits";
import { type Action, asNumber, asText, choices, Dialog, type Entered } from "../parts/dialog";
import { useGet } from "../parts/link";
import { type Column, List } from "../parts/list";

type Meter = Schemas["UsageMeter"];

const bound = (m: Meter) => (m.limit < 0 ? t("unlimited") : quantity(m.limit, m.unit));

const columns: Column<Meter>[] = [
  { head: "Name", cell: (m) => said(m.name), csv: (m) => m.name }, { head: "Key", cell: (m) => <Code>{m.key}</Code>, csv: (m) => m.key }, { head: "Kind", cell: (m) => named(m.kind), csv: (m) => m.kind },
  { head: "Unit", cell: (m) => m.unit, csv: (m) => m.unit }, { head: "Limit", cell: bound, csv: (m) => m.limit, right: true }, { head: "Beyond it", cell: (m) => named(m.mode), csv: (m) => m.mode },
];

// Meters is the catalogue of what can be measured.
export default function Meters() {
  const { superadmin } = useRights();
  const [action, setAction] = useState<Action | null>(null);
  const plugins = useGet("/api/tenants/available-plugins", {}, { limit: 200 }, superadmin);
  const options = [{ value: "", label: t("every plugin") }, ...(plugins.data?.data ?? []).map((p) => ({ value: p.key, label: p.name }))];
  return (
    <Page title={t("Meters")} aside={superadmin && <Button onClick={() => setAction(edit(null, options))}>{t("New meter")}</Button>}>
      <List path="/api/tenants/meters" label={t("Meters")} columns={columns} id={(m: Meter) => m.key} filters={[{ name: "q", label: "Search for" }]}
        detail={(m) => <>
          <Facts of={[["Description", said(m.description) || "–"], ["Reported by", m.plugin ?? t("every plugin")], ["Of the product itself", m.built_in ? t("yes") : t("no")]]} />
          {superadmin && <Group gap="xs" mt="sm">
            <Button size="compact-sm" variant="default" onClick={() => setAction(edit(m, options))}>{t("Edit")}</Button>
            {!m.built_in && <Button size="compact-sm" variant="default" onClick={() => setAction(remove(m))}>{t("Delete")}</Button>}
          </Group>}
        </>} />
      <Dialog action={action} close={() => setAction(null)} />
    </Page>
  );
}

function edit(m: Meter | null, plugins: { value: string; label: string }[]): Action {
  const shared = (v: Entered) => ({ name: String(v.name), description: String(v.description), limit: asNumber(v.limit) ?? -1, mode: v.mode as "hard" });
  const free = (v: Entered) => ({ unit: String(v.unit), plugin: asText(v.plugin) });
  return {
    title: m ? t("Edit {name}", { name: said(m.name) }) : t("New meter"), button: t("Save"), danger: Boolean(m), done: t("Saved"),
    ...(m && { guard: { path: "/api/tenants/meters/{key}", params: { key: m.key }, seen: m } }),
    fields: [
      ...(m ? [] : [{ name: "key", label: "Key" as const, required: true, hint: t("It never changes.") }, { name: "kind", label: "Kind" as const, type: "select" as const, options: choices(["counter", "gauge"]) }]),
      { name: "name", label: "Name", required: true }, { name: "description", label: "Description", type: "long" },
      ...(m?.built_in ? [] : [{ name: "unit", label: "Unit" as const }, { name: "plugin", label: "Reported by" as const, type: "select" as const, options: plugins }]),
      { name: "limit", label: "Limit", type: "number", least: -1, hint: t("Of one organization. -1 is unlimited.") }, { name: "mode", label: "Beyond it", type: "select", options: choices(["hard", "soft"]) },
    ],
    initial: m ? { name: m.name, description: m.description, unit: m.unit, plugin: m.plugin ?? "", limit: String(m.limit), mode: m.mode } : { limit: "-1" },
    make: (v) => (m
      ? call({ method: "put", path: "/api/tenants/meters/{key}", params: { key: m.key }, body: { ...shared(v), ...(m.built_in ? {} : free(v)) } })
      : call({ method: "post", path: "/api/tenants/meters", body: { key: String(v.key), kind: v.kind as "counter", ...shared(v), ...(v.unit ? free(v) : { plugin: asText(v.plugin) }) } })),
  };
}

function remove(m: Meter): Action {
  return {
    title: t("Delete {name}", { name: said(m.name) }), button: t("Delete"), danger: true, typed: m.key, done: t("Deleted"),
    make: () => call({ method: "delete", path: "/api/tenants/meters/{key}", params: { key: m.key } }),
  };
}
