import { Button, Code, Group, List, Stack, Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { limit, named, t, when } from "../i18n";
import { Facts, LoadedPage, Page, Panel, Status } from "../parts/bits";
import { type Action, asNumber, asText, Dialog } from "../parts/dialog";
import { Go, useGet } from "../parts/link";
import { findAdmin } from "../parts/pick";
import { ActorName, AdminName, PluginNames } from "../parts/whose";

type Request = Schemas["RegistrationRequest"];

export default function RequestPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const query = useGet("/api/tenants/requests/{request_id}", { request_id: id });
  return <LoadedPage query={query}>{(r) => <Detail r={r} />}</LoadedPage>;
}

function Detail({ r }: { r: Request }) {
  const [action, setAction] = useState<Action | null>(null);
  const plugins = useGet("/api/tenants/available-plugins", {}, { limit: 200 });
  const keys = (plugins.data?.data ?? []).map((p) => ({ value: p.key, label: p.name }));
  const pending = r.status === "pending_approval";
  const approved = r.status === "approved";
  return (
    <Page title={r.company_name} aside={<>
      {pending && <Button onClick={() => setAction(approve(r, keys))}>{t("Approve")}</Button>}
      {approved && <Button onClick={() => setAction(provision(r))}>{r.provisioning.attempts > 0 ? t("Try again") : t("Provision")}</Button>}
      {(pending || approved) && <Button variant="default" onClick={() => setAction(reject(r))}>{t("Reject")}</Button>}
      {r.organization_id && <Go to={`/organizations/${r.organization_id}`}>{t("To the organization")}</Go>}
    </>}>
      <Panel title={t("Request")}>
        <Facts of={[
          ["Status", <Status key="s" value={r.status} />], ["Contact", r.contact_name], ["E-mail", r.email], ["Phone", r.phone],
          ["Name", r.org_name ?? r.desired_org_name], ["Slug", <Code key="c">{r.org_slug ?? r.desired_org_slug}</Code>],
          ["Source", r.utm_source], ["Medium", r.utm_medium], ["Campaign", r.utm_campaign], ["Referral code", r.referral_code], ["Came by host", r.host],
          ["Admin", r.admin_id ? <AdminName key="a" id={r.admin_id} /> : t("Platform")],
        ]} />
      </Panel>
      {(r.flags ?? []).length > 0 && <Panel title={t("Look at this first")}><List>{(r.flags ?? []).map((f) => <List.Item key={f}>{named(f)}</List.Item>)}</List></Panel>}
      <Panel title={t("What happened")}>
        <Stack gap={6}>
          <Text size="sm">{when(r.created_at)} · {t("Received")}</Text>
          {r.decided_at && <Text size="sm">{when(r.decided_at)} · {r.status === "rejected" ? t("Rejected") : t("Approved")} · {r.decided_by ? <ActorName of={{ type: "user", id: r.decided_by }} /> : t("automatically")}</Text>}
          {r.reason && <Text size="sm" c="dimmed">{r.reason}</Text>}
        </Stack>
      </Panel>
      {r.status !== "pending_approval" && r.status !== "rejected" && <Panel title={t("Given at approval")}>
        <Facts of={[
          ["Credit limit", given(r.initial_credit_limit)], ["Storage", given(r.storage_limit_gb, "GB")], ["Users", given(r.max_users)], ["Bandwidth", given(r.bandwidth_limit_gb, "GB")],
          ["Plugins", r.enabled_plugins ? (r.enabled_plugins.length > 0 ? <PluginNames key="p" keys={r.enabled_plugins} /> : "–") : t("default")],
        ]} />
      </Panel>}
      {r.provisioning.attempts > 0 && <Panel title={t("Provisioning")} aside={<Status value={r.provisioning.state} />}>
        {r.provisioning.last_error && <Text c="var(--bad)" size="sm" mb="xs">{r.provisioning.last_error}</Text>}
        <Stack gap={4}>{(r.provisioning.steps ?? []).map((s) => <Group key={s.name} gap="xs"><Status value={s.state} /><Text size="sm">{named(s.name)}</Text></Group>)}</Stack>
      </Panel>}
      <Dialog action={action} close={() => setAction(null)} />
    </Page>
  );
}

const given = (n: number | null, unit = "") => (n === null ? t("default") : limit(n, unit));

function approve(r: Request, keys: { value: string; label: string }[]): Action {
  return {
    title: t("Approve {name}", { name: r.company_name }), button: t("Approve"), danger: true, done: t("Approved"),
    intro: t("What stays empty takes the default of the settings."),
    fields: [
      { name: "org_name", label: "Name" }, { name: "org_slug", label: "Slug" },
      { name: "admin_id", label: "Admin", type: "pick", find: findAdmin, hint: t("None chosen: as it came.") },
      { name: "initial_credit_limit", label: "Credit limit", type: "number", least: 0 }, { name: "storage_limit_gb", label: "Storage (GB)", type: "number", least: -1, hint: t("-1 is unlimited.") },
      { name: "max_users", label: "Users", type: "number", least: -1 }, { name: "bandwidth_limit_gb", label: "Bandwidth (GB)", type: "number", least: -1 },
      { name: "enabled_plugins", label: "Plugins", type: "many", options: keys, hint: t("None chosen: the default ones.") },
      { name: "provision", label: "Provision at once", type: "switch" },
    ],
    initial: { org_name: r.desired_org_name, org_slug: r.desired_org_slug, provision: true },
    make: (v) => call({
      method: "post", path: "/api/tenants/requests/{request_id}/approve", params: { request_id: r.id },
      body: {
        provision: v.provision === true,
        ...(v.org_name !== r.desired_org_name && { org_name: asText(v.org_name) }), ...(v.org_slug !== r.desired_org_slug && { org_slug: asText(v.org_slug) }),
        ...(v.admin_id && { admin_id: asNumber(v.admin_id) }),
        ...(v.initial_credit_limit !== "" && { initial_credit_limit: asNumber(v.initial_credit_limit) }), ...(v.storage_limit_gb !== "" && { storage_limit_gb: asNumber(v.storage_limit_gb) }),
        ...(v.max_users !== "" && { max_users: asNumber(v.max_users) }), ...(v.bandwidth_limit_gb !== "" && { bandwidth_limit_gb: asNumber(v.bandwidth_limit_gb) }),
        ...((v.enabled_plugins as string[]).length > 0 && { enabled_plugins: v.enabled_plugins as string[] }),
      },
    }),
  };
}

function reject(r: Request): Action {
  return {
    title: t("Reject {name}", { name: r.company_name }), button: t("Reject"), danger: true, done: t("Rejected"),
    fields: [{ name: "reason", label: "Reason", type: "long", required: true, hint: t("The applicant reads it.") }],
    make: (v) => call({ method: "post", path: "/api/tenants/requests/{request_id}/reject", params: { request_id: r.id }, body: { reason: String(v.reason) } }),
  };
}

function provision(r: Request): Action {
  return {
    title: t("Provision {name}", { name: r.company_name }), button: t("Provision"), done: t("The organization is there."),
    intro: t("This makes the organization, its owner and its accounts, all or nothing."),
    make: () => call({ method: "post", path: "/api/tenants/requests/{request_id}/provision", params: { request_id: r.id } }),
  };
}
