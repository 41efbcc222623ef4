import { Button, Code, Group } from "@mantine/core";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { named, t } from "../i18n";
import { useRights } from "../me";
import { Facts, Page } from "../parts/bits";
import { type Action, Dialog, type Entered } from "../parts/dialog";
import { type Column, List } from "../parts/list";
import { PluginNames } from "../parts/whose";

type Plugin = Schemas["Plugin"];

const columns: Column<Plugin>[] = [
  { head: "Name", cell: (p) => p.name, csv: (p) => p.name }, { head: "Key", cell: (p) => <Code>{p.key}</Code>, csv: (p) => p.key }, { head: "Category", cell: (p) => (p.category ? named(p.category) : "–"), csv: (p) => p.category },
  { head: "Version", cell: (p) => p.version || "–", csv: (p) => p.version }, { head: "By default", cell: (p) => (p.default_enabled ? t("on") : t("off")), csv: (p) => p.default_enabled },
];

export default function Plugins() {
  const { superadmin } = useRights();
  const [action, setAction] = useState<Action | null>(null);
  return (
    <Page title={t("Plugins")} aside={superadmin && <Button onClick={() => setAction(edit(null))}>{t("New plugin")}</Button>}>
      <List path="/api/tenants/available-plugins" label={t("Plugins")} columns={columns} id={(p: Plugin) => p.key} filters={[{ name: "q", label: "Search for" }]}
        detail={(p) => <>
          <Facts of={[["Description", p.description || "–"], ["Needs", p.depends_on.length > 0 ? <PluginNames key="n" keys={p.depends_on} /> : "–"], ["Of the product itself", p.core ? t("yes") : t("no")]]} />
          {superadmin && <Group gap="xs" mt="sm">
            <Button size="compact-sm" variant="default" onClick={() => setAction(edit(p))}>{t("Edit")}</Button>
            <Button size="compact-sm" variant="default" onClick={() => setAction(remove(p))}>{t("Delete")}</Button>
          </Group>}
        </>} />
      <Dialog action={action} close={() => setAction(null)} />
    </Page>
  );
}

function edit(p: Plugin | null): Action {
  const body = (v: Entered) => ({
    name: String(v.name), description: String(v.description), category: String(v.category), version: String(v.version), core: v.core === true, default_enabled: v.default_enabled === true,
    depends_on: String(v.depends_on).split(",").map((s) => s.trim()).filter(Boolean),
  });
  return {
    title: p ? t("Edit {name}", { name: p.name }) : t("New plugin"), button: t("Save"), danger: Boolean(p), done: t("Saved"),
    ...(p && { guard: { path: "/api/tenants/available-plugins/{key}", params: { key: p.key }, seen: p } }),
    fields: [
      ...(p ? [] : [{ name: "key", label: "Key" as const, required: true }]), { name: "name", label: "Name", required: true }, { name: "description", label: "Description", type: "long" }, { name: "category", label: "Category" },
      { name: "version", label: "Version" }, { name: "depends_on", label: "Needs", hint: t("Keys of other plugins, separated by commas.") }, { name: "core", label: "Of the product itself", type: "switch" }, { name: "default_enabled", label: "On by default", type: "switch" },
    ],
    initial: p ? { name: p.name, description: p.description, category: p.category, version: p.version, depends_on: p.depends_on.join(", "), core: p.core, default_enabled: p.default_enabled } : {},
    make: (v) => (p ? call({ method: "put", path: "/api/tenants/available-plugins/{key}", params: { key: p.key }, body: body(v) }) : call({ method: "post", path: "/api/tenants/available-plugins", body: { key: String(v.key), ...body(v) } })),
  };
}

function remove(p: Plugin): Action {
  return {
    title: t("Delete {name}", { name: p.name }), button: t("Delete"), danger: true, typed: p.key, done: t("Deleted"),
    make: () => call({ method: "delete", path: "/api/tenants/available-plugins/{key}", params: { key: p.key } }),
  };
}
