import { Button, Code, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { num, t, when } from "../i18n";
import { useRights } from "../me";
import { AuditList } from "../parts/audit";
import { Facts, Figure, Loaded, LoadedPage, Page, Panel, Status } from "../parts/bits";
import { BrandingEditor } from "../parts/branding";
import { type Action, asText, Dialog } from "../parts/dialog";
import { DomainPanel, verifyAction } from "../parts/domain";
import { Holds } from "../parts/holds";
import { Ledger } from "../parts/ledger";
import { useGet } from "../parts/link";
import { type Column, List } from "../parts/list";
import { adjust, after, poolOf } from "../parts/moves";
import { findUser } from "../parts/pick";
import { Tabbed } from "../parts/tabs";
import { OrganizationList } from "./organizations";
import { GroupName } from "../parts/whose";

type Admin = Schemas["Admin"];

export default function AdminPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const query = useGet("/api/tenants/admins/{id}", { id });
  return <LoadedPage query={query}>{(a) => <Detail key={a.id} a={a} />}</LoadedPage>;
}

function Detail({ a }: { a: Admin }) {
  const { superadmin } = useRights();
  const [action, setAction] = useState<Action | null>(null);
  const groups = useGet("/api/tenants/partner-groups", {}, { limit: 200 }, superadmin);
  return (
    <Page title={a.name} aside={superadmin && <>
      <Button onClick={() => setAction(grant(a))}>{t("Grant credits")}</Button>
      <Button variant="default" onClick={() => setAction(edit(a, (groups.data?.data ?? []).map((g) => ({ value: String(g.id), label: g.name }))))}>{t("Edit")}</Button>
      {a.status === "active" ? <Button variant="default" onClick={() => setAction(suspend(a))}>{t("Suspend")}</Button> : <Button variant="default" onClick={() => setAction(reactivate(a))}>{t("Reactivate")}</Button>}
    </>}>
      <Tabbed label={a.name} tabs={[
        { value: "overview", label: t("Overview"), content: () => <Overview a={a} open={setAction} /> },
        { value: "organizations", label: t("Organizations"), content: () => <Panel><OrganizationList admin={a.id} /></Panel> },
        { value: "credits", label: t("Credits"), content: () => <Credits a={a} open={setAction} /> },
        { value: "people", label: t("Team"), content: () => <People a={a} open={setAction} /> },
        { value: "branding", label: t("Branding"), content: () => <BrandingEditor admin={a.id} /> },
        { value: "audit", label: t("Audit log"), content: () => <Panel><AuditList fixed={{ admin_id: a.id }} /></Panel> },
      ]} />
      <Dialog action={action} close={() => setAction(null)} />
    </Page>
  );
}

function Overview({ a, open }: { a: Admin; open: (x: Action) => void }) {
  const { superadmin } = useRights();
  return (
    <Stack gap="md">
      <Holds holds={a.holds} />
      <SimpleGrid cols={2}>
        <Figure label="Balance" value={num(a.credit_balance)} />
        <Figure label="Organizations" value={num(a.organization_count)} />
      </SimpleGrid>
      <Panel title={t("Account")}>
        <Facts of={[
          ["Status", <Status key="s" value={a.status} />], ["Company", a.company_name], ["E-mail", a.contact_email], ["Phone", a.phone],
          ["Partner group", a.partner_group_id && <GroupName key="g" id={a.partner_group_id} />], ["Referral code", <Code key="r">{a.referral_code}</Code>], ["Since", when(a.created_at)],
        ]} />
      </Panel>
      <DomainPanel domain={a.custom_domain} status={a.custom_domain_status} record={a.domain_verification}
        verify={() => open(verifyAction("/api/tenants/admins/{id}/domain/verify", { id: a.id }, superadmin))} />
    </Stack>
  );
}

function Credits({ a, open }: { a: Admin; open: (x: Action) => void }) {
  const { superadmin } = useRights();
  const pool = useGet("/api/tenants/admins/{id}/credits", { id: a.id });
  return (
    <Stack gap="md">
      <Loaded query={pool}>{(p) => (
        <SimpleGrid cols={{ base: 2, md: 4 }}>
          <Figure label="Balance" value={num(p.balance)} /><Figure label="Backing limits" value={num(p.limits_backed)} note={t("credit limits of its organizations")} /><Figure label="Available" value={num(p.available)} /><Figure label="Expiring soon" value={num(p.expiring_soon)} note={t("within 30 days")} />
        </SimpleGrid>
      )}</Loaded>
      {superadmin && <Group><Button size="compact-sm" variant="default" onClick={() => open(adjust("admin", a.id, a.name))}>{t("Adjust")}</Button></Group>}
      <Ledger of="admin" id={a.id} account={pool.data?.account_id} />
    </Stack>
  );
}

type Person = Schemas["AdminUser"];

function People({ a, open }: { a: Admin; open: (x: Action) => void }) {
  const { superadmin } = useRights();
  const columns: Column<Person>[] = [
    { head: "Name", cell: (p) => p.name || "–", csv: (p) => p.name }, { head: "E-mail", cell: (p) => p.email, csv: (p) => p.email },
    { head: "Role", cell: (p) => <Status value={p.role} />, csv: (p) => p.role }, { head: "Since", cell: (p) => when(p.created_at), csv: (p) => p.created_at },
    ...(superadmin ? [{
      head: "Actions" as const, csv: false as const, cell: (p: Person) => (
        p.role !== "owner" && <Group gap={6}>
          <Button size="compact-sm" variant="default" onClick={() => open(owner(a, p))}>{t("Make owner")}</Button>
          <Button size="compact-sm" variant="default" onClick={() => open(removePerson(a, p))}>{t("Remove")}</Button>
        </Group>
      ),
    }] : []),
  ];
  return (
    <Panel title={t("Team")} aside={superadmin && <Group gap="xs">
      <Button size="compact-sm" variant="default" onClick={() => open(addPerson(a))}>{t("Add a user")}</Button>
      <Button size="compact-sm" variant="default" onClick={() => open(owner(a))}>{t("Assign owner")}</Button>
    </Group>}>
      <List path="/api/tenants/admins/{id}/users" label={t("Team")} params={{ id: a.id }} columns={columns} id={(p: Person) => p.user_id} filters={[{ name: "q", label: "Search for" }]} empty={<Text size="sm">{t("Nobody works here yet.")}</Text>} />
    </Panel>
  );
}

function grant(a: Admin): Action {
  return {
    title: t("Grant credits to {name}", { name: a.name }), button: t("Grant"), danger: true, done: t("Granted"),
    intro: t("Balance now: {n}", { n: a.credit_balance }),
    fields: [{ name: "amount", label: "Amount", type: "number", least: 1, required: true }, { name: "reason", label: "Reason", required: true }],
    outlook: async (v) => [after(t("Balance"), await poolOf(a.id), Number(v.amount))],
    make: (v) => call({ method: "post", path: "/api/tenants/admins/{id}/grant-credits", params: { id: a.id }, body: { amount: Number(v.amount), reason: String(v.reason) } }),
  };
}

function edit(a: Admin, groups: { value: string; label: string }[]): Action {
  return {
    title: t("Edit {name}", { name: a.name }), button: t("Save"), done: t("Saved"), danger: true,
    guard: { path: "/api/tenants/admins/{id}", params: { id: a.id }, seen: a },
    fields: [
      { name: "name", label: "Name", required: true }, { name: "company_name", label: "Company" }, { name: "contact_email", label: "E-mail", type: "email", required: true }, { name: "phone", label: "Phone" },
      { name: "custom_domain", label: "Domain", hint: t("A change has to be verified again.") }, { name: "partner_group_id", label: "Partner group", type: "select", options: [{ value: "", label: t("none") }, ...groups] },
    ],
    initial: { name: a.name, company_name: a.company_name, contact_email: a.contact_email, phone: a.phone ?? "", custom_domain: a.custom_domain ?? "", partner_group_id: String(a.partner_group_id ?? "") },
    make: (v) => call({
      method: "put", path: "/api/tenants/admins/{id}", params: { id: a.id },
      body: { name: String(v.name), company_name: String(v.company_name), contact_email: String(v.contact_email), phone: asText(v.phone), custom_domain: asText(v.custom_domain), partner_group_id: v.partner_group_id ? Number(v.partner_group_id) : null },
    }),
  };
}

function suspend(a: Admin): Action {
  return {
    title: t("Suspend {name}", { name: a.name }), button: t("Suspend"), danger: true, done: t("Suspended"), typed: a.name,
    intro: t("It reaches all its organizations at once."),
    fields: [{ name: "reason", label: "Reason", required: true }],
    make: (v) => call({ method: "post", path: "/api/tenants/admins/{id}/suspend", params: { id: a.id }, body: { reason: String(v.reason) } }),
  };
}

function reactivate(a: Admin): Action {
  return {
    title: t("Reactivate {name}", { name: a.name }), button: t("Reactivate"), danger: true, done: t("Active again"),
    make: () => call({ method: "post", path: "/api/tenants/admins/{id}/reactivate", params: { id: a.id } }),
  };
}

function owner(a: Admin, p?: Person): Action {
  return {
    title: t("Assign owner"), button: t("Assign"), danger: true, done: t("Saved"), intro: p ? p.email : t("The former owner stays in the team."),
    fields: p ? [] : [{ name: "user_id", label: "User", type: "pick", find: findUser, required: true }],
    make: (v) => call({ method: "post", path: "/api/tenants/admins/{id}/assign-owner", params: { id: a.id }, body: { user_id: p?.user_id ?? Number(v.user_id) } }),
  };
}

function addPerson(a: Admin): Action {
  return {
    title: t("Add a user"), button: t("Add"), done: t("Saved"), fields: [{ name: "user_id", label: "User", type: "pick", find: findUser, required: true }],
    make: (v) => call({ method: "post", path: "/api/tenants/admins/{id}/users", params: { id: a.id }, body: { user_id: Number(v.user_id) } }),
  };
}

function removePerson(a: Admin, p: Person): Action {
  return {
    title: t("Remove {name}", { name: p.email }), button: t("Remove"), danger: true, done: t("Removed"),
    make: () => call({ method: "delete", path: "/api/tenants/admins/{id}/users/{user_id}", params: { id: a.id, user_id: p.user_id } }),
  };
}
