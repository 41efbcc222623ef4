import { Button, Code, Group, SimpleGrid, Stack } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { limit, num, t, when } from "../i18n";
import { standing, useRights } from "../me";
import { AuditList } from "../parts/audit";
import { Facts, Figure, Loaded, Page, Panel, Status } from "../parts/bits";
import { type Action, Dialog } from "../parts/dialog";
import { DomainPanel, verifyAction } from "../parts/domain";
import { Holds } from "../parts/holds";
import { Keys } from "../parts/keys";
import { Ledger } from "../parts/ledger";
import { useGet } from "../parts/link";
import { UsageHistory } from "../parts/history";
import { Members } from "../parts/members";
import { MeterLimits } from "../parts/meterlimits";
import { OrganizationPlugins } from "../parts/orgplugins";
import { PluginUsage } from "../parts/pluginusage";
import { Tabbed } from "../parts/tabs";
import { UsagePanel } from "../parts/usage";
import { addCredits, archive, editLimits, editName, reactivate, setDomain, suspend, transfer } from "./organization-actions";
import { AdminName } from "../parts/whose";

export type Organization = Schemas["OrgOrganization"];

export default function OrganizationPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const rights = useRights();
  // A member may not read the organization itself, only what it uses.
  const plain = !rights.superadmin && rights.admins.length === 0 && rights.roleIn(Number(id)) === "member";
  return plain ? <OfMember id={Number(id)} /> : <OfStaff id={id} />;
}

function OfMember({ id }: { id: number }) {
  const { me } = useRights();
  return (
    <Page title={me.organization?.name ?? t("Organization")}>
      <Tabbed label={t("Organization")} tabs={[
        { value: "usage", label: t("Usage"), content: () => <Used id={id} /> },
        { value: "plugins", label: t("Plugins"), content: () => <OrganizationPlugins id={id} /> },
      ]} />
    </Page>
  );
}

function OfStaff({ id }: { id: string }) {
  const query = useGet("/api/tenants/organizations/{org_id}/detail", { org_id: id });
  return <Loaded query={query}>{(o) => <Detail key={o.id} o={o} />}</Loaded>;
}

function Detail({ o }: { o: Organization }) {
  const rights = useRights();
  const as = standing(rights, o.id, o.admin_id);
  const manages = as === "superadmin" || as === "admin";
  const [action, setAction] = useState<Action | null>(null);
  const available = useGet("/api/tenants/admins/{id}/credits", { id: o.admin_id ?? 0 }, {}, manages && o.admin_id !== null);
  return (
    <Page title={o.name} aside={<>
      {manages && <Button onClick={() => setAction(addCredits(o, as === "superadmin", available.data))}>{t("Add credits")}</Button>}
      {manages && <Button variant="default" onClick={() => setAction(editLimits(o))}>{t("Limits")}</Button>}
      {(manages || as === "owner") && <Button variant="default" onClick={() => setAction(editName(o))}>{t("Rename")}</Button>}
    </>}>
      <Holds holds={o.holds} more={o.admin_suspended ? t("Its admin is suspended.") : undefined} />
      <Tabbed label={o.name} tabs={[
        { value: "overview", label: t("Overview"), content: () => <Overview o={o} verify={manages ? () => setAction(verifyAction("/api/tenants/organizations/{org_id}/domain/verify", { org_id: o.id }, as === "superadmin")) : undefined} change={manages ? () => setAction(setDomain(o)) : undefined} /> },
        { value: "usage", label: t("Usage"), content: () => <Used id={o.id} edit={manages ? setAction : undefined} /> },
        { value: "credits", label: t("Credits"), content: () => <Credits o={o} /> },
        { value: "plugins", label: t("Plugins"), content: () => <OrganizationPlugins id={o.id} edit={manages ? setAction : undefined} guard={{ path: "/api/tenants/organizations/{org_id}/detail", params: { org_id: o.id }, seen: o }} /> },
        { value: "members", label: t("Members"), content: () => <Members id={o.id} open={setAction} /> },
        as !== "manager" && { value: "keys", label: t("API keys"), content: () => <Keys organization={o.id} open={setAction} /> },
        (manages || as === "owner") && { value: "audit", label: t("Audit log"), content: () => <Panel><AuditList fixed={{ organization_id: o.id }} /></Panel> },
        manages && { value: "danger", label: t("Danger zone"), content: () => <Danger o={o} superadmin={as === "superadmin"} open={setAction} /> },
      ]} />
      <Dialog action={action} close={() => setAction(null)} />
    </Page>
  );
}

// Used is all that tells of an organization's usage.
function Used({ id, edit }: { id: number; edit?: (a: Action) => void }) {
  return <Stack gap="md"><UsagePanel id={id} /><UsageHistory id={id} /><MeterLimits id={id} edit={edit} /><PluginUsage id={id} /></Stack>;
}

function Overview({ o, verify, change }: { o: Organization; verify?: () => void; change?: () => void }) {
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
        <Figure label="Credits available" value={num(o.credits_available)} note={t("balance {n}", { n: o.credit_balance })} />
        <Figure label="Members" value={num(o.member_count)} note={t("{n} invited", { n: o.invited_count })} />
        <Figure label="Storage limit" value={limit(o.storage_limit_gb, "GB")} />
        <Figure label="Bandwidth limit" value={limit(o.bandwidth_limit_gb, "GB")} />
      </SimpleGrid>
      <Panel title={t("Organization")}>
        <Facts of={[
          ["Status", <Status key="s" value={o.effective_status} />], ["Slug", <Code key="c">{o.slug}</Code>], ["Number", `#${o.id}`],
          ["Admin", o.admin_id ? <AdminName key="a" id={o.admin_id} /> : t("Platform")],
          ["Credit limit", num(o.credit_limit)], ["Held", num(o.credits_held)], ["Users", limit(o.max_users)], ["Since", when(o.created_at)], ["Changed", when(o.updated_at)],
        ]} />
      </Panel>
      <DomainPanel domain={o.custom_domain} status={o.custom_domain_status} record={o.domain_verification} verify={verify} />
      {change && <Group><Button variant="default" size="compact-sm" onClick={change}>{t("Change the domain")}</Button></Group>}
    </Stack>
  );
}

function Credits({ o }: { o: Organization }) {
  const figures = useGet("/api/tenants/organizations/{org_id}/credits", { org_id: o.id });
  return (
    <Stack gap="md">
      <Loaded query={figures}>{(c) => (
        <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
          <Figure label="Available" value={num(c.available)} /><Figure label="Balance" value={num(c.balance)} /><Figure label="Credit limit" value={num(c.limit)} /><Figure label="Used this month" value={num(c.used)} note={`${t("{n} held", { n: c.held })} · ${t("{n} expire soon", { n: c.expiring_soon })}`} />
        </SimpleGrid>
      )}</Loaded>
      <Ledger of="organization" id={o.id} account={figures.data?.account_id} />
    </Stack>
  );
}

function Danger({ o, superadmin, open }: { o: Organization; superadmin: boolean; open: (a: Action) => void }) {
  return (
    <Panel title={t("Danger zone")}>
      <Stack gap="sm" align="flex-start">
        {o.status === "active" && <Button variant="default" onClick={() => open(suspend(o))}>{t("Suspend this organization")}</Button>}
        {o.status === "suspended" && <Button variant="default" onClick={() => open(reactivate(o))}>{t("Reactivate this organization")}</Button>}
        {o.status === "archived" && superadmin && <Button variant="default" onClick={() => open(reactivate(o))}>{t("Reactivate this organization")}</Button>}
        {superadmin && <Button variant="default" onClick={() => open(transfer(o))}>{t("Transfer to another admin")}</Button>}
        {o.status !== "archived" && <Button variant="default" onClick={() => open(archive(o))}>{t("Archive this organization")}</Button>}
      </Stack>
    </Panel>
  );
}
