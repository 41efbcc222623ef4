import { Code, Stack, Text } from "@mantine/core";
import type { Schemas, Values } from "../api/client";
import { named, t, when } from "../i18n";
import { Facts, Status } from "./bits";
import { type Column, type Filter, List } from "./list";
import { AdminName, OrganizationName } from "./whose";

type Entry = Schemas["AuditEntry"];

const who = (e: Entry) => e.actor.name ?? e.actor.email ?? named(e.actor.type);
const what = (e: Entry) => `${named(e.target.type)}${e.target.name ? ` ${e.target.name}` : e.target.id ? ` #${e.target.id}` : ""}`;

const columns: Column<Entry>[] = [
  { head: "Time", cell: (e) => when(e.occurred_at), csv: (e) => e.occurred_at },
  { head: "Who", cell: who, csv: (e) => e.actor.email ?? who(e) },
  { head: "Action", cell: (e) => <Code>{e.action}</Code>, csv: (e) => e.action },
  { head: "On what", cell: what, csv: what },
  { head: "Outcome", cell: (e) => <Status value={e.outcome} />, csv: (e) => e.outcome },
];

// What a person would look for; of the others there are only attempts that were denied.
const targets = ["organization", "admin", "partner_group", "registration_request", "user", "member", "invitation", "session", "access", "api_key", "branding", "plugin", "meter", "settings"];

export const auditFilters: Filter[] = [
  { name: "action", label: "Action" }, { name: "target_type", label: "Kind of thing", options: targets },
  { name: "outcome", label: "Outcome", options: ["ok", "denied", "error"] }, { name: "from", label: "From", type: "date" }, { name: "to", label: "To", type: "date" },
];

// AuditList is the log, each row with its diff.
export function AuditList({ fixed, filters = auditFilters }: { fixed?: Values; filters?: Filter[] }) {
  return <List path="/api/tenants/audit-logs" label={t("Audit log")} columns={columns} id={(e: Entry) => e.id} filters={filters} fixed={fixed} detail={(e) => <Detail e={e} />} />;
}

function Detail({ e }: { e: Entry }) {
  return (
    <Stack gap="sm">
      <Diff changes={e.changes} />
      <Facts of={[
        ["Number", e.id], ["Reason", e.reason], ["On behalf of", e.on_behalf_of ? (e.on_behalf_of.name ?? e.on_behalf_of.email) : null], ["Address", e.ip], ["Request", e.request_id && <Code key="r">{e.request_id}</Code>],
        ["Organization", e.organization_id && <OrganizationName key="o" id={e.organization_id} />], ["Admin", e.admin_id && <AdminName key="a" id={e.admin_id} />], ["Program", e.user_agent],
      ]} />
    </Stack>
  );
}

const value = (v: unknown) => (v === null || v === undefined ? "–" : typeof v === "object" ? JSON.stringify(v) : String(v));

// Diff shows what changed, field by field.
function Diff({ changes }: { changes: Entry["changes"] }) {
  const all = Object.entries(changes ?? {});
  if (all.length === 0) return <Text size="sm" c="dimmed">{t("No field changed.")}</Text>;
  return (
    <table className="diff">
      <thead><tr><th scope="col">{t("Field")}</th><th scope="col">{t("Before")}</th><th scope="col">{t("After")}</th></tr></thead>
      <tbody>{all.map(([f, c]) => <tr key={f}><th scope="row">{f}</th><td className="old">{value(c.old)}</td><td className="new">{value(c.new)}</td></tr>)}</tbody>
    </table>
  );
}
