import { Button, Code, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { Schemas } from "../api/client";
import { named, said, t } from "../i18n";
import { useAddress } from "./address";
import { Facts, Loaded, Panel, Status } from "./bits";
import { Holds } from "./holds";
import { Go, useGet } from "./link";
import { findUser, Pick } from "./pick";
import { Low } from "./table";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

// Explain asks the server how a request of somebody would be decided, and shows
// what the decision rests on. The address keeps the question.
export function Explain() {
  const [{ user = "", method = "GET", path = "" }, ask] = useAddress();
  const [asked, setAsked] = useState({ user, method, path });
  const query = useGet("/api/tenants/authz/explain", {}, { user_id: user, method, path }, Boolean(user && path));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    ask({ ...asked, path: asked.path.trim() }, true);
  };
  return (
    <Panel title={t("Why may somebody do this, or why not")}>
      <Stack gap="md">
        <form onSubmit={submit}>
          <Group align="flex-end" gap="sm">
            <Pick find={findUser} label={t("User")} required value={asked.user} set={(v) => setAsked({ ...asked, user: v })} />
            <NativeSelect label={t("Method")} data={methods} value={asked.method} onChange={(e) => setAsked({ ...asked, method: e.currentTarget.value })} />
            <TextInput label={t("Path")} required placeholder="/api/tenants/organizations/7/edit" style={{ flex: "1 1 260px" }} value={asked.path} onChange={(e) => setAsked({ ...asked, path: e.currentTarget.value })} />
            <Button type="submit" disabled={!asked.user}>{t("Explain")}</Button>
          </Group>
        </form>
        {user && path && <Loaded query={query}>{(e) => <Decision of={e} />}</Loaded>}
      </Stack>
    </Panel>
  );
}

function Decision({ of: e }: { of: Schemas["Explanation"] }) {
  const place = (r: { organization_id?: number | null; admin_id?: number | null }) =>
    r.organization_id ? <Go key="o" to={`/organizations/${r.organization_id}`}>{`#${r.organization_id}`}</Go> : r.admin_id ? <Go key="a" to={`/admins/${r.admin_id}`}>{`#${r.admin_id}`}</Go> : "–";
  const roles = e.roles ?? [];
  return (
    <Stack gap="sm" role="status">
      <Group gap="sm"><Status value={e.allowed ? "allowed" : "refused"} /><Text>{said(e.why)}</Text></Group>
      <Facts of={[
        ["The answer", <Code key="a">{e.code ? `${e.status} ${e.code}` : String(e.status)}</Code>],
        ["Call", e.route && <Code key="c">{`${e.method} ${e.route}`}</Code>],
        ["Permission", e.permission?.permission],
        ["Role", e.role && named(e.role)],
        ["What it touches", e.object && <>{named(e.object.type)} {place(e.object)}{!e.object.in_scope && ` · ${t("not theirs")}`}</>],
      ]} />
      <Holds holds={e.holds} />
      {roles.length > 0 && <Low name={t("Roles")} heads={["Role", "Belongs to", "Status"]} rows={roles.map((r) => [named(r.role), place(r), <Status key="s" value={r.suspended ? "suspended" : "active"} />])} />}
    </Stack>
  );
}
