import { Button, Checkbox, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { t } from "../i18n";
import { Loaded, Panel, Status } from "./bits";
import type { Action } from "./dialog";
import type { Guarded } from "./guard";
import { useGet } from "./link";
import { usePluginName } from "./whose";

type Entitlement = Schemas["PluginEntitlement"];

// OrganizationPlugins lists the catalogue, and what of it the organization has.
export function OrganizationPlugins({ id, edit, guard }: { id: number; edit?: (a: Action) => void; guard?: Guarded }) {
  const query = useGet("/api/tenants/organizations/{org_id}/plugins", { org_id: id }, { limit: 200 });
  return <Loaded query={query}>{(l) => <Choice key={JSON.stringify((l.data ?? []).map((p) => p.enabled))} id={id} plugins={l.data ?? []} edit={edit} guard={guard} />}</Loaded>;
}

function Choice({ id, plugins, edit, guard }: { id: number; plugins: Entitlement[]; edit?: (a: Action) => void; guard?: Guarded }) {
  const before = plugins.filter((p) => p.enabled).map((p) => p.key);
  const [on, setOn] = useState(before);
  const name = usePluginName();
  const shown = edit ? plugins : [...plugins].sort((a, b) => Number(b.enabled) - Number(a.enabled));
  const changed = [...on].sort().join() !== [...before].sort().join();
  const save = (): Action => ({
    title: t("Change the plugins"), button: t("Save"), danger: true, done: t("Saved"), guard,
    intro: [...on.filter((k) => !before.includes(k)).map((k) => `+ ${name(k)}`), ...before.filter((k) => !on.includes(k)).map((k) => `− ${name(k)}`)].join(", "),
    make: () => call({ method: "put", path: "/api/tenants/organizations/{org_id}/edit", params: { org_id: id }, body: { enabled_plugins: on } }),
  });
  return (
    <Panel title={t("Plugins")} aside={edit && <Button size="compact-sm" disabled={!changed} onClick={() => edit(save())}>{t("Save")}</Button>}>
      <Stack gap="sm">
        {shown.map((p) => (
          <Group key={p.key} justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
            <div>
              <Text fw={500}>{p.name}</Text>
              <Text size="sm" c="dimmed">{p.description}{(p.depends_on ?? []).length > 0 && ` · ${t("needs {names}", { names: p.depends_on.map(name).join(", ") })}`}</Text>
            </div>
            {edit ? <Checkbox aria-label={p.name} checked={on.includes(p.key)} onChange={(e) => setOn(e.currentTarget.checked ? [...on, p.key] : on.filter((k) => k !== p.key))} />
              : <Status value={p.enabled ? "enabled" : "off"} />}
          </Group>
        ))}
      </Stack>
    </Panel>
  );
}
