import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { day, num, t } from "../i18n";
import { useRights } from "../me";
import { Page, Status } from "../parts/bits";
import { type Action, asText, Dialog } from "../parts/dialog";
import { Go, useGet } from "../parts/link";
import { type Column, List } from "../parts/list";

type Admin = Schemas["Admin"];

const columns: Column<Admin>[] = [
  { head: "Name", cell: (a) => <Go to={`/admins/${a.id}`}>{a.name}</Go>, csv: (a) => a.name },
  { head: "Company", cell: (a) => a.company_name || "–", csv: (a) => a.company_name },
  { head: "Status", cell: (a) => <Status value={a.status} />, csv: (a) => a.status },
  { head: "Balance", cell: (a) => num(a.credit_balance), csv: (a) => a.credit_balance, right: true },
  { head: "Organizations", cell: (a) => num(a.organization_count), csv: (a) => a.organization_count, right: true },
  { head: "Since", cell: (a) => day(a.created_at), csv: (a) => a.created_at },
];

export default function Admins() {
  const { superadmin } = useRights();
  const [action, setAction] = useState<Action | null>(null);
  const navigate = useNavigate();
  const groups = useGet("/api/tenants/partner-groups", {}, { limit: 200 });
  const options = (groups.data?.data ?? []).map((g) => ({ value: String(g.id), label: g.name }));
  const make: Action = {
    title: t("New admin"), button: t("Create"), done: t("Created"),
    fields: [
      { name: "name", label: "Name", required: true }, { name: "contact_email", label: "E-mail", type: "email", required: true }, { name: "company_name", label: "Company" }, { name: "phone", label: "Phone" },
      { name: "partner_group_id", label: "Partner group", type: "select", options: [{ value: "", label: t("none") }, ...options] },
    ],
    make: (v) => call({
      method: "post", path: "/api/tenants/admins",
      body: { name: String(v.name), contact_email: String(v.contact_email), company_name: asText(v.company_name), phone: asText(v.phone), partner_group_id: v.partner_group_id ? Number(v.partner_group_id) : null },
    }),
    after: (a) => void navigate({ to: `/admins/${(a as Admin).id}` as never }),
  };
  return (
    <Page title={t("Admins")} aside={superadmin && <Button onClick={() => setAction(make)}>{t("New admin")}</Button>}>
      <List path="/api/tenants/admins" label={t("Admins")} columns={columns} id={(a: Admin) => a.id} to={(a) => `/admins/${a.id}`}
        filters={[{ name: "q", label: "Search for" }, { name: "status", label: "Status", options: ["active", "suspended"] }, { name: "partner_group_id", label: "Partner group", choices: options }]} />
      <Dialog action={action} close={() => setAction(null)} />
    </Page>
  );
}
