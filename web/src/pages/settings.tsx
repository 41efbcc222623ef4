import { Button, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { limit, num, t, when } from "../i18n";
import { AuditList } from "../parts/audit";
import { Facts, Loaded, Page, Panel } from "../parts/bits";
import { Editor } from "../parts/branding";
import { builtIn } from "../theme";
import { type Action, asNumber, Dialog } from "../parts/dialog";
import { useGet } from "../parts/link";
import { Tabbed } from "../parts/tabs";

type Settings = Schemas["Settings"];

export default function SettingsPage() {
  const [action, setAction] = useState<Action | null>(null);
  const query = useGet("/api/tenants/settings");
  return (
    <Page title={t("Settings")}>
      <Loaded query={query}>{(s) => (
        <Tabbed label={t("Settings")} tabs={[
          { value: "defaults", label: t("Defaults"), content: () => <Defaults s={s} edit={() => setAction(edit(s))} /> },
          { value: "branding", label: t("Branding"), content: () => <Editor brand={s.branding} inherited={builtIn} guarded={{ path: "/api/tenants/settings", params: {}, seen: s }} pictures="/api/tenants/settings/logo" save={(b) => call({ method: "put", path: "/api/tenants/settings", body: { branding: b as never } })} /> },
          { value: "history", label: t("What changed"), content: () => <Panel><AuditList fixed={{ target_type: "settings" }} filters={[]} /></Panel> },
        ]} />
      )}</Loaded>
      <Dialog action={action} close={() => setAction(null)} />
    </Page>
  );
}

function Defaults({ s, edit }: { s: Settings; edit: () => void }) {
  return (
    <Panel title={t("Defaults")} aside={<Button size="compact-sm" onClick={edit}>{t("Edit")}</Button>}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">{t("Changes touch future organizations only.")}</Text>
        <Facts of={[
          ["Approve registrations automatically", s.auto_approve_registrations ? t("yes") : t("no")], ["Credit limit", num(s.default_credit_limit)], ["Storage", limit(s.default_storage_limit_gb, "GB")],
          ["Users", limit(s.default_max_users)], ["Bandwidth", limit(s.default_bandwidth_limit_gb, "GB")], ["Shortest password", num(s.password_min_length)], ["Time zone of months", s.billing_timezone], ["Changed", when(s.updated_at)],
        ]} />
      </Stack>
    </Panel>
  );
}

function edit(s: Settings): Action {
  return {
    title: t("Settings"), button: t("Save"), danger: true, done: t("Saved"), intro: t("-1 is unlimited."),
    guard: { path: "/api/tenants/settings", params: {}, seen: s },
    fields: [
      { name: "auto_approve_registrations", label: "Approve registrations automatically", type: "switch" }, { name: "default_credit_limit", label: "Credit limit", type: "number", least: 0, required: true }, { name: "default_storage_limit_gb", label: "Storage (GB)", type: "number", least: -1, required: true },
      { name: "default_max_users", label: "Users", type: "number", least: -1, required: true }, { name: "default_bandwidth_limit_gb", label: "Bandwidth (GB)", type: "number", least: -1, required: true }, { name: "password_min_length", label: "Shortest password", type: "number", least: 8, required: true }, { name: "billing_timezone", label: "Time zone of months", required: true },
    ],
    initial: {
      auto_approve_registrations: s.auto_approve_registrations, default_credit_limit: String(s.default_credit_limit), default_storage_limit_gb: String(s.default_storage_limit_gb), default_max_users: String(s.default_max_users), default_bandwidth_limit_gb: String(s.default_bandwidth_limit_gb),
      password_min_length: String(s.password_min_length), billing_timezone: s.billing_timezone,
    },
    make: (v) => call({
      method: "put", path: "/api/tenants/settings",
      body: {
        auto_approve_registrations: v.auto_approve_registrations === true, default_credit_limit: asNumber(v.default_credit_limit), default_storage_limit_gb: asNumber(v.default_storage_limit_gb), default_max_users: asNumber(v.default_max_users),
        default_bandwidth_limit_gb: asNumber(v.default_bandwidth_limit_gb), password_min_length: asNumber(v.password_min_length), billing_timezone: String(v.billing_timezone),
      },
    }),
  };
}
