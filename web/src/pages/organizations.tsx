import { Button, Code, Progress } from "@mantine/core";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { day, limit, num, t } from "../i18n";
import { useRights } from "../me";
import { Page, Status } from "../parts/bits";
import { Bulk } from "../parts/dialog";
import { Go } from "../parts/link";
import { type Column, List } from "../parts/list";
import { AdminName } from "../parts/whose";

type Organization = Schemas["OrgOrganization"];

const columns: Column<Organization>[] = [
  { head: "Name", sort: "name", cell: (o) => <Go to={`/organizations/${o.id}`}>{o.name}</Go>, csv: (o) => o.name },
  { head: "Slug", sort: "slug", cell: (o) => <Code>{o.slug}</Code>, csv: (o) => o.slug },
  { head: "Status", cell: (o) => <Status value={o.effective_status} />, csv: (o) => o.effective_status },
  { head: "Users", sort: "member_count", cell: (o) => <>{`${num(o.member_count)} / ${limit(o.max_users)}`}{o.max_users > 0 && <Progress mt={4} size="sm" value={Math.min(100, ((o.member_count + o.invited_count) / o.max_users) * 100)} color={o.member_count + o.invited_count >= o.max_users * 0.8 ? "var(--warn)" : "var(--line-brand)"} aria-label={t("Users")} />}</>, csv: (o) => o.member_count, right: true },
  { head: "Available", cell: (o) => num(o.credits_available), csv: (o) => o.credits_available, right: true },
  { head: "Storage", cell: (o) => limit(o.storage_limit_gb, "GB"), csv: (o) => o.storage_limit_gb, right: true },
  { head: "Since", sort: "created_at", cell: (o) => day(o.created_at), csv: (o) => o.created_at },
];

const reseller: Column<Organization> = { head: "Admin", cell: (o) => (o.admin_id ? <AdminName id={o.admin_id} /> : t("Platform")), csv: (o) => o.admin_id };

export default function Organizations() {
  const { superadmin } = useRights();
  return <Page title={t("Organizations")}><OrganizationList columns={superadmin ? [...columns, reseller] : columns} /></Page>;
}

// OrganizationList is the list, also of one admin.
export function OrganizationList({ admin, columns: shown = columns, prefix }: { admin?: number; columns?: Column<Organization>[]; prefix?: string }) {
  const [bulk, setBulk] = useState<{ to: "suspended" | "active"; chosen: Organization[]; clear: () => void } | null>(null);
  return (
    <>
      <List path="/api/tenants/organizations" label={t("Organizations")} columns={shown} id={(o: Organization) => o.id} to={(o) => `/organizations/${o.id}`} fixed={admin ? { admin_id: admin } : {}} prefix={prefix}
        filters={[{ name: "q", label: "Search for" }, { name: "effective_status", label: "Status", options: ["active", "suspended", "archived"] }]}
        bulk={(chosen, clear) => <>
          <Button size="compact-sm" variant="default" onClick={() => setBulk({ to: "suspended", chosen, clear })}>{t("Suspend {n}", { n: chosen.length })}</Button>
          <Button size="compact-sm" variant="default" onClick={() => setBulk({ to: "active", chosen, clear })}>{t("Reactivate {n}", { n: chosen.length })}</Button>
        </>} />
      {bulk && <Bulk title={t(bulk.to === "suspended" ? "Suspend {n}" : "Reactivate {n}", { n: bulk.chosen.length })} button={bulk.to === "suspended" ? t("Suspend") : t("Reactivate")}
        things={bulk.chosen.map((o) => ({ id: o.id, name: o.name }))} close={() => setBulk(null)} clear={bulk.clear}
        fields={bulk.to === "suspended" ? [{ name: "reason", label: "Reason", required: true }] : []}
        make={(id, v) => call({ method: "put", path: "/api/tenants/organizations/{org_id}/status", params: { org_id: id }, body: bulk.to === "suspended" ? { status: "suspended", reason: String(v.reason) } : { status: "active" } })} />}
    </>
  );
}
