import { Button, Code, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { Schemas } from "../api/client";
import { limit, num, t, when, type Word } from "../i18n";
import { standing, useRights } from "../me";
import { ActingFor } from "../parts/actingfor";
import { AuditList, auditFilters } from "../parts/audit";
import { Facts, Figure, Loaded, LoadedPage, Page, Panel, Status } from "../parts/bits";
import { type Action, Dialog } from "../parts/dialog";
import { DomainPanel, verifyAction } from "../parts/domain";
import { Holds } from "../parts/holds";
import { Keys } from "../parts/keys";
import { Ledger } from "../parts/ledger";
import { useGet } from "../parts/link";
import { UsageHistory } from "../parts/history";
import { Members } from "../parts/members";
import { MeterLimits } from "../parts/meterlimits";
import { adjust, takeBack } from "../parts/moves";
import { findMember } from "../parts/pick";
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
  // A member may not read the organization itself, only what it uses; nobody of one
  // that is suspended may.
  const shut = rights.suspended && rights.me.organization?.id === Number(id);
  const plain = !rights.superadmin && rights.admins.length === 0 && (shut || rights.roleIn(Number(id)) === "member");
  return plain ? <OfMember id={Number(id)} /> : <OfStaff id={id} />;
}

function OfMember({ id }: { id: number }) {
  const { me, suspended } = useRights();
  return (
    <Page title={me.organization?.name ?? t("Organization")}>
      <Tabbed label={t("Organization")} tabs={[
        { value: "usage", label: t("Usage"), content: () => <Used id={id} /> },
        !suspended && { value: "plugins", label: t("Plugins"), content: () => <OrganizationPlugins id={id} /> },
      ]} />
    </Page>
  );
}

function OfStaff({ id }: { id: string }) {
  const query = useGet("/api/tenants/organizations/{org_id}/detail", { org_id: id });
  return <LoadedPage query={query}>{(o) => <Detail key={o.id} o={o} />}</LoadedPage>;
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
        { value: "overview", label: t("Overview"), content: () => <Overview o={o} /> },
        { value: "usage", label: t("Usage"), content: () => <Used id={o.id} edit={manages ? setAction : undefined} /> },
        { value: "credits", label: t("Credits"), content: () => <Credits o={o} move={manages && <>
          {o.admin_id !== null && <Button size="compact-sm" variant="default" onClick={() => setAction(takeBack(o))}>{t("Take back")}</Button>}
          {as === "superadmin" && <Button size="compact-sm" variant="default" onClick={() => setAction(adjust("organization", o.id, o.name))}>{t("Adjust")}</Button>}
        </>} /> },
        { value: "plugins", label: t("Plugins"), content: () => <OrganizationPlugins id={o.id} edit={manages ? setAction : undefined} guard={{ path: "/api/tenants/organizations/{org_id}/detail", params: { org_id: o.id }, seen: o }} /> },
        { value: "members", label: t("Members"), content: () => <Members id={o.id} open={setAction} /> },
        { value: "domain", label: t("Domain"), content: () => (
          <DomainPanel domain={o.custom_domain} status={o.custom_domain_status} record={o.domain_verification} change={manages ? () => setAction(setDomain(o)) : undefined}
            verify={manages ? () => setAction(verifyAction("/api/tenants/organizations/{org_id}/domain/verify", { org_id: o.id }, as === "superadmin")) : undefined} />
        ) },
        as !== "manager" && { value: "keys", label: t("API keys"), content: () => <Keys organization={o.id} open={setAction} /> },
        (manages || as === "owner") && { value: "audit", label: t("Audit log"), content: () => <Panel><AuditList fixed={{ organization_id: o.id }} filters={[...auditFilters, { name: "actor_id", label: "User", find: findMember(o.id) }]} /></Panel> },
        (manages || as === "owner") && { value: "access", label: t("Access"), content: () => <ActingFor id={o.id} grant={manages} open={setAction} /> },
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

function Overview({ o }: { o: Organization }) {
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 2, md: 4 }}>
        <Figure label="Credits available" value={num(o.credits_available)} note={t("balance {n}", { n: o.credit_balance })} />
        <Figure label="Members" value={num(o.member_count)} note={t("{n} invited", { n: o.invited_count })} />
        <Figure label="Storage limit" value={limit(o.storage_limit_gb, "GB")} />
        <Figure label="Bandwidth limit" value={limit(o.bandwidth_limit_gb, "GB")} />
      </SimpleGrid>
      <Panel title={t("Organization")}>
        <Facts of={[
          ["Status", <Status key="s" value={o.effective_status} />], ["Slug", <Code key="c">{o.slug}</Code>], ["Number", o.id],
          ["Admin", o.admin_id ? <AdminName key="a" id={o.admin_id} /> : t("Platform")],
          ["Domain", o.custom_domain ? <>{o.custom_domain} <Status value={o.custom_domain_status} /></> : null], ["Credit limit", num(o.credit_limit)], ["Held", num(o.credits_held)], ["User limit", limit(o.max_users)], ["Since", when(o.created_at)], ["Changed", when(o.updated_at)],
        ]} />
      </Panel>
    </Stack>
  );
}

function Credits({ o, move }: { o: Organization; move?: ReactNode }) {
  const figures = useGet("/api/tenants/organizations/{org_id}/credits", { org_id: o.id });
  return (
    <Stack gap="md">
      <Loaded query={figures}>{(c) => (
        <SimpleGrid cols={{ base: 2, md: 4 }}>
          <Figure label="Available" value={num(c.available)} note={t("{n} held", { n: c.held })} /><Figure label="Balance" value={num(c.balance)} note={t("{n} expire soon", { n: c.expiring_soon })} /><Figure label="Credit limit" value={num(c.limit)} /><Figure label="Used this month" value={num(c.used)} />
        </SimpleGrid>
      )}</Loaded>
      {move && <Group gap="xs">{move}</Group>}
      <Ledger of="organization" id={o.id} account={figures.data?.account_id} />
    </Stack>
  );
}

function Danger({ o, superadmin, open }: { o: Organization; superadmin: boolean; open: (a: Action) => void }) {
  const may: [boolean, Word, Word, (o: Organization, superadmin: boolean) => Action][] = [
    [o.status === "active", "Suspend this organization", "Nobody in it gets in, and nothing of it works, until it is reactivated. Nothing is deleted.", suspend],
    [o.status === "suspended" || (o.status === "archived" && superadmin), "Reactivate this organization", "It works again as before, unless others hold it too.", reactivate],
    [superadmin, "Transfer to another admin", "Its credits, people and domain go along.", transfer],
    [o.status !== "archived", "Archive this organization", "It is closed for good. Only a superadmin can undo it.", archive],
  ];
  return (
    <Panel title={t("Danger zone")}>
      <Stack gap="md">
        {may.filter(([shown]) => shown).map(([, label, what, action]) => (
          <Group key={label} justify="space-between" gap="sm">
            <div style={{ flex: "1 1 16rem" }}><Text fw={600}>{t(label)}</Text><Text size="sm" c="dimmed">{t(what)}</Text></div>
            <Button variant="default" onClick={() => open(action(o, superadmin))}>{t(label)}</Button>
          </Group>
        ))}
      </Stack>
    </Panel>
  );
}
