import { SimpleGrid, Stack, Text } from "@mantine/core";
import type { Schemas } from "../api/client";
import { ago, num, t } from "../i18n";
import { useRights } from "../me";
import { Empty, Figure, Loaded, Page, Panel } from "../parts/bits";
import { CreditFlow, NearLimits, TopOrganizations } from "../parts/figures";
import { BalanceOverTime, Ledger } from "../parts/ledger";
import { Go, useGet, useTotal } from "../parts/link";
import { OrganizationPlugins } from "../parts/orgplugins";
import { RequestStats } from "../parts/reqstats";
import { UsagePanel } from "../parts/usage";
import { Events } from "./audit";
import { OrganizationList } from "./organizations";

// Home is the first page of each role.
export default function Home() {
  const r = useRights();
  if (r.superadmin) return <Platform />;
  if (r.admins[0]) return <Reseller id={r.admins[0]} />;
  if (r.home) return <Member id={r.home} role={r.roleIn(r.home) ?? "member"} />;
  return <Page title={t("Home")}><Empty>{t("You have no role here yet.")}</Empty></Page>;
}

const requests = "/api/tenants/requests" as const;
const organizations = "/api/tenants/organizations" as const;

function Platform() {
  const waiting = useGet(requests, {}, { status: "pending_approval", limit: 8 });
  const pending = useTotal(requests, { status: "pending_approval" });
  const approved = useTotal(requests, { status: "approved" });
  const active = useTotal(organizations, { effective_status: "active" });
  const suspended = useTotal(organizations, { effective_status: "suspended" });
  const said = (n: number | undefined) => (n === undefined ? "…" : num(n));
  return (
    <Page title={t("Dashboard")}>
      <SimpleGrid cols={{ base: 2, md: 4 }}>
        <Figure label="Requests waiting" value={<Go to="/requests" search={{ status: "pending_approval" }}>{said(pending)}</Go>} />
        <Figure label="Approved, not provisioned" value={<Go to="/requests" search={{ status: "approved" }}>{said(approved)}</Go>} />
        <Figure label="Active organizations" value={<Go to="/organizations" search={{ effective_status: "active" }}>{said(active)}</Go>} />
        <Figure label="Suspended organizations" value={<Go to="/organizations" search={{ effective_status: "suspended" }}>{said(suspended)}</Go>} />
      </SimpleGrid>
      <RequestStats />
      <CreditFlow platform />
      <SimpleGrid cols={{ base: 1, md: 2 }}><NearLimits /><TopOrganizations /></SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Panel title={t("Requests waiting")}><Loaded query={waiting}>{(l) => <Waiting rows={l.data ?? []} />}</Loaded></Panel>
        <EventStats />
      </SimpleGrid>
    </Page>
  );
}

function EventStats() {
  const stats = useGet("/api/tenants/audit-logs/stats", {}, { days: 30 });
  return <Panel title={t("Events per day")}><Loaded query={stats}>{(s) => <Events days={s.by_day ?? []} />}</Loaded></Panel>;
}

function Waiting({ rows }: { rows: Schemas["RegistrationRequest"][] }) {
  if (rows.length === 0) return <Empty>{t("Nobody is waiting.")}</Empty>;
  return (
    <Stack gap={6}>
      {rows.map((r) => <Text size="sm" key={r.id}><Go to={`/requests/${r.id}`}>{r.company_name}</Go> · {r.contact_name} · {ago(r.created_at)}</Text>)}
    </Stack>
  );
}

function Reseller({ id }: { id: number }) {
  const pool = useGet("/api/tenants/admins/{id}/credits", { id });
  return (
    <Page title={t("Dashboard")}>
      <Loaded query={pool}>{(p) => (
        <SimpleGrid cols={{ base: 2, sm: 3 }}>
          <Figure label="Balance" value={num(p.balance)} /><Figure label="Backing limits" value={num(p.limits_backed)} /><Figure label="Available" value={num(p.available)} />
        </SimpleGrid>
      )}</Loaded>
      <SimpleGrid cols={{ base: 1, md: 2 }}><BalanceOverTime of="admin" params={{ id }} /><CreditFlow platform={false} /></SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }}><NearLimits /><TopOrganizations /></SimpleGrid>
      <Panel title={t("Organizations")}><OrganizationList /></Panel>
    </Page>
  );
}

function Member({ id, role }: { id: number; role: string }) {
  const { me } = useRights();
  return (
    <Page title={me.organization?.name ?? t("Home")}>
      <UsagePanel id={id} />
      <OrganizationPlugins id={id} />
      {role !== "member" && <Ledger of="organization" id={id} />}
    </Page>
  );
}
