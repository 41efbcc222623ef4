import { Button, Code, Group } from "@mantine/core";
import { call, type Schemas } from "../api/client";
import { t, when } from "../i18n";
import { useRights } from "../me";
import { Panel, Status } from "./bits";
import { ends } from "./days";
import { type Action, type Entered } from "./dialog";
import { type Column, List } from "./list";

type Key = Schemas["AuthAPIKey"];

const scopes = ["entitlements:read", "usage:read", "usage:write", "credits:spend", "audit:read", "tokens:introspect"];

// Keys are the API keys of an organization, or the platform's own.
export function Keys({ organization, open }: { organization?: number; open: (a: Action) => void }) {
  const { superadmin } = useRights();
  const columns: Column<Key>[] = [
    { head: "Name", cell: (k) => k.name, csv: (k) => k.name }, { head: "Key", cell: (k) => <Code>{k.prefix}…</Code>, csv: (k) => k.prefix },
    { head: "Scopes", cell: (k) => (k.scopes ?? []).join(", "), csv: (k) => (k.scopes ?? []).join(" ") },
    { head: "Status", cell: (k) => <Status value={stateOf(k)} />, csv: stateOf }, { head: "Last used", cell: (k) => when(k.last_used_at), csv: (k) => k.last_used_at }, { head: "Ends", cell: (k) => when(k.expires_at), csv: (k) => k.expires_at },
    { head: "Actions", csv: false, cell: (k) => !k.revoked_at && <Group gap={6}>
      <Button size="compact-sm" variant="default" onClick={() => open(rotate(k, organization))}>{t("Replace")}</Button>
      <Button size="compact-sm" variant="default" onClick={() => open(revoke(k, organization))}>{t("Revoke")}</Button>
    </Group> },
  ];
  const shared = { label: t("API keys"), columns, id: (k: Key) => k.id, filters: [{ name: "q", label: "Search for" as const }] };
  return (
    <Panel title={t("API keys")} aside={(organization || superadmin) && <Button size="compact-sm" onClick={() => open(make(organization))}>{t("New key")}</Button>}>
      {organization
        ? <List path="/api/tenants/organizations/{org_id}/api-keys" params={{ org_id: organization }} {...shared} />
        : <List path="/api/tenants/api-keys" {...shared} />}
    </Panel>
  );
}

const stateOf = (k: Key) => (k.revoked_at ? "revoked" : k.expires_at && new Date(k.expires_at) < new Date() ? "expired" : "active");

function make(organization?: number): Action {
  const body = (v: Entered) => ({ name: String(v.name), scopes: v.scopes as string[], expires_at: ends(v.expires_at) ?? null });
  return {
    title: t("New key"), button: t("Create"), done: t("Created"),
    fields: [{ name: "name", label: "Name", required: true }, { name: "scopes", label: "Scopes", type: "many", required: true, options: scopes.map((s) => ({ value: s, label: s })) }, { name: "expires_at", label: "Ends", type: "date" }],
    make: (v) => (organization
      ? call({ method: "post", path: "/api/tenants/organizations/{org_id}/api-keys", params: { org_id: organization }, body: body(v) })
      : call({ method: "post", path: "/api/tenants/api-keys", body: body(v) })),
    secret: (a) => (a as Schemas["AuthIssuedKey"]).key,
  };
}

// rotate makes a key in the place of another, which stays good for a while.
function rotate(k: Key, organization?: number): Action {
  const body = (v: Entered) => ({ overlap_seconds: Number(v.overlap_seconds) });
  return {
    title: t("Replace {name}", { name: k.name }), button: t("Replace"), done: t("Created"), intro: t("The new key has the same scopes. The old one stays good for so long."),
    fields: [{ name: "overlap_seconds", label: "Old key good for", type: "select", options: [["3600", "1 hour"], ["86400", "1 day"], ["604800", "7 days"], ["0", "not at all"]].map(([value, label]) => ({ value: value as string, label: t(label as "1 hour") })) }],
    make: (v) => (organization
      ? call({ method: "post", path: "/api/tenants/organizations/{org_id}/api-keys/{key_id}/rotate", params: { org_id: organization, key_id: k.id }, body: body(v) })
      : call({ method: "post", path: "/api/tenants/api-keys/{key_id}/rotate", params: { key_id: k.id }, body: body(v) })),
    secret: (a) => (a as Schemas["AuthIssuedKey"]).key,
  };
}

function revoke(k: Key, organization?: number): Action {
  return {
    title: t("Revoke {name}", { name: k.name }), button: t("Revoke"), danger: true, done: t("Revoked"),
    make: () => (organization
      ? call({ method: "delete", path: "/api/tenants/organizations/{org_id}/api-keys/{key_id}", params: { org_id: organization, key_id: k.id } })
      : call({ method: "delete", path: "/api/tenants/api-keys/{key_id}", params: { key_id: k.id } })),
  };
}
