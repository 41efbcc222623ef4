import { Button, Code, Stack, Text } from "@mantine/core";
import { call, type Schemas, type Values } from "../api/client";
import { t } from "../i18n";
import { Copy, Facts, Panel, Status } from "./bits";
import type { Action } from "./dialog";

type Verify = "/api/tenants/admins/{id}/domain/verify" | "/api/tenants/organizations/{org_id}/domain/verify";

// verifyAction looks the proof up; a superadmin may do without it.
export function verifyAction(path: Verify, params: Values, superadmin: boolean): Action {
  return {
    title: t("Verify the domain"), button: t("Verify"), done: t("Verified"), intro: t("We look up the TXT record."),
    fields: superadmin ? [{ name: "override", label: "Accept without the record", type: "switch" }, { name: "reason", label: "Reason", hint: t("Needed to accept without the record.") }] : [],
    make: (v) => call({ method: "post", path, params, body: v.override === true ? { override: true, reason: String(v.reason) } : {} }),
  };
}

export function DomainPanel({ domain, status, record, verify, change }: { domain: string | null; status: string; record: Schemas["DomainRecord"] | null; verify?: () => void; change?: () => void }) {
  return (
    <Panel title={t("Domain")} aside={<>
      {domain && status !== "verified" && verify && <Button size="compact-sm" variant="default" onClick={verify}>{t("Verify")}</Button>}
      {change && <Button size="compact-sm" variant="default" onClick={change}>{t("Change the domain")}</Button>}
    </>}>
      {!domain ? <Text size="sm" c="dimmed">{t("No domain of its own.")}</Text> : (
        <Stack gap="sm">
          <Facts of={[["Domain", domain], ["Status", <Status key="s" value={status} />]]} />
          {record && status !== "verified" && <>
            <Text size="sm">{t("Set this record in the domain's DNS:")}</Text>
            <Facts of={[["Name", <Code key="n">{record.name}</Code>], ["Kind", record.type], ["Value", <span key="v"><Code>{record.value}</Code> <Copy value={record.value} /></span>]]} />
          </>}
        </Stack>
      )}
    </Panel>
  );
}
