import { SimpleGrid, Text } from "@mantine/core";
import { useMemo } from "react";
import { named, t } from "../i18n";
import { useRights } from "../me";
import { AuditList, auditFilters } from "../parts/audit";
import { Bars } from "../parts/bars";
import { Loaded, Page, Panel } from "../parts/bits";
import { Drawn } from "../parts/drawn";
import { useRange } from "../parts/range";
import { useGet } from "../parts/link";
import type { Filter } from "../parts/list";
import { findAdmin, findMember, findOrganization, findUser } from "../parts/pick";

const scoped: Filter[] = [{ name: "organization_id", label: "Organization", find: findOrganization }];
const platform: Filter[] = [...scoped, { name: "admin_id", label: "Admin", find: findAdmin }, { name: "actor_id", label: "User", find: findUser }];

export default function Audit() {
  const { superadmin, admins, home } = useRights();
  return (
    <Page title={t("Audit log")}>
      <Stats />
      <Panel><AuditList filters={[...auditFilters, ...(superadmin ? platform : admins.length > 0 ? scoped : home ? [{ name: "actor_id", label: "User" as const, find: findMember(home) }] : [])]} /></Panel>
    </Page>
  );
}

function Stats() {
  const [days, range] = useRange();
  const stats = useGet("/api/tenants/audit-logs/stats", {}, { days });
  return (
    <Loaded query={stats}>{(s) => (
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Panel title={t("Events per day")} aside={range}><Events days={s.by_day ?? []} /></Panel>
        <Panel title={t("Most frequent")}>
          <Text fw={600} size="sm" mb={4}>{t("Actions")}</Text>
          <Bars caption={t("Events by action")} rows={(s.by_action ?? []).slice(0, 6).map((a) => ({ label: named(a.action), value: a.count }))} />
          <Text fw={600} size="sm" mb={4}>{t("People")}</Text>
          <Bars caption={t("Events by person")} rows={(s.top_actors ?? []).slice(0, 4).map((a) => ({ label: a.name ?? a.email ?? named(a.type), value: a.count }))} />
        </Panel>
      </SimpleGrid>
    )}</Loaded>
  );
}

export function Events({ days }: { days: { date: string; count: number }[] }) {
  const { times, lines } = useMemo(() => ({ times: days.map((d) => new Date(d.date).getTime() / 1000), lines: [{ label: t("Events"), values: days.map((d) => d.count), bars: true }] }), [days]);
  return <Drawn name={t("Events per day")} times={times} lines={lines} />;
}
