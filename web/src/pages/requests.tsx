import { Button, Code, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { ago, named, t } from "../i18n";
import { Page, Status } from "../parts/bits";
import { Bulk } from "../parts/dialog";
import { Go } from "../parts/link";
import { type Column, List } from "../parts/list";
import { RequestStats } from "../parts/reqstats";
import { Tabbed } from "../parts/tabs";

type Request = Schemas["RegistrationRequest"];

const columns: Column<Request>[] = [
  { head: "Company", cell: (r) => <Go to={`/requests/${r.id}`}>{r.company_name}</Go>, csv: (r) => r.company_name },
  { head: "Contact", cell: (r) => <>{r.contact_name}<Text size="sm" c="dimmed">{r.email}</Text></>, csv: (r) => `${r.contact_name} <${r.email}>` },
  { head: "Slug", cell: (r) => <Code>{r.org_slug ?? r.desired_org_slug}</Code>, csv: (r) => r.org_slug ?? r.desired_org_slug },
  { head: "Status", cell: (r) => <Status value={r.status} />, csv: (r) => r.status },
  { head: "Flags", cell: (r) => (r.flags ?? []).map(named).join(", ") || "–", csv: (r) => (r.flags ?? []).join(" ") },
  { head: "Campaign", cell: (r) => [r.utm_source, r.utm_medium, r.utm_campaign].filter(Boolean).join(" / ") || "–" },
  { head: "Received", cell: (r) => ago(r.created_at), csv: (r) => r.created_at },
];

export default function Requests() {
  return (
    <Page title={t("Registrations")}>
      <Tabbed label={t("Registrations")} tabs={[
        { value: "list", label: t("Requests"), content: () => <RequestList /> },
        { value: "figures", label: t("Figures"), content: () => <Stack gap="md"><RequestStats /></Stack> },
      ]} />
    </Page>
  );
}

function RequestList() {
  const [bulk, setBulk] = useState<{ kind: "approve" | "reject"; chosen: Request[]; clear: () => void } | null>(null);
  return (
    <>
      <List path="/api/tenants/requests" label={t("Registrations")} columns={columns} id={(r: Request) => r.id} to={(r) => `/requests/${r.id}`}
        filters={[
          { name: "q", label: "Search for" }, { name: "status", label: "Status", options: ["pending_approval", "approved", "rejected", "active"] },
          { name: "utm_source", label: "Source" }, { name: "utm_campaign", label: "Campaign" },
        ]}
        bulk={(chosen, clear) => (
          <Group gap="xs">
            <Button size="compact-sm" onClick={() => setBulk({ kind: "approve", chosen, clear })}>{t("Approve {n}", { n: chosen.length })}</Button>
            <Button size="compact-sm" variant="default" onClick={() => setBulk({ kind: "reject", chosen, clear })}>{t("Reject {n}", { n: chosen.length })}</Button>
          </Group>
        )} />
      {bulk && (bulk.kind === "approve"
        ? <Bulk title={t("Approve {n}", { n: bulk.chosen.length })} button={t("Approve")} things={things(bulk.chosen)} close={() => setBulk(null)} clear={bulk.clear}
            fields={[{ name: "provision", label: "Provision at once", type: "switch" }]}
            make={(id, v) => call({ method: "post", path: "/api/tenants/requests/{request_id}/approve", params: { request_id: id }, body: { provision: v.provision === true } })} />
        : <Bulk title={t("Reject {n}", { n: bulk.chosen.length })} button={t("Reject")} things={things(bulk.chosen)} close={() => setBulk(null)} clear={bulk.clear}
            fields={[{ name: "reason", label: "Reason", type: "long", required: true, hint: t("The applicant reads it.") }]}
            make={(id, v) => call({ method: "post", path: "/api/tenants/requests/{request_id}/reject", params: { request_id: id }, body: { reason: String(v.reason) } })} />)}
    </>
  );
}

const things = (all: Request[]) => all.map((r) => ({ id: r.id, name: r.company_name }));
