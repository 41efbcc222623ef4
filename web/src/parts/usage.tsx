import { SimpleGrid, Stack, Text } from "@mantine/core";
import { num, t, when } from "../i18n";
import { Bar, Figure, Loaded, Panel } from "./bits";
import { spanned } from "./days";
import { useGet } from "./link";
import { SaveRows } from "./save";

// UsagePanel is what an organization uses of what it may.
export function UsagePanel({ id }: { id: number }) {
  const query = useGet("/api/tenants/organizations/{org_id}/usage", { org_id: id });
  return (
    <Loaded query={query}>{(u) => (
      <Stack gap="md">
        <Panel title={t("Usage against limits")} aside={<SaveRows name={t("Usage against limits")} head={[t("Meter"), t("Used"), t("Limit"), "%"]} rows={[[t("Users"), u.users], [t("Storage (GB)"), u.storage_gb], [t("Bandwidth (GB)"), u.bandwidth_gb]].map(([name, x]) => { const m = x as typeof u.users; return [name as string, m.used, m.limit, m.percent]; })} />}>
          <Stack gap="md">
            <Bar label={t("Users")} used={u.users.used} of={u.users.limit} percent={u.users.percent} state={u.users.state} />
            {u.users.invited > 0 && <Text size="sm" c="dimmed">{t("{n} invited", { n: u.users.invited })}</Text>}
            <Bar label={t("Storage")} used={u.storage_gb.used} of={u.storage_gb.limit} percent={u.storage_gb.percent} state={u.storage_gb.state} unit="GB" />
            <Bar label={t("Bandwidth")} used={u.bandwidth_gb.used} of={u.bandwidth_gb.limit} percent={u.bandwidth_gb.percent} state={u.bandwidth_gb.state} unit="GB" />
          </Stack>
        </Panel>
        <SimpleGrid cols={{ base: 2, xs: 3 }}>
          <Figure label="Credits available" value={num(u.credits.available)} /><Figure label="Credits used this month" value={num(u.credits.used)} /><Figure label="Held" value={num(u.credits.held)} />
        </SimpleGrid>
        <Text size="sm" c="dimmed">{spanned(u.period.from, u.period.to)} · {t("as of {time}", { time: when(u.as_of) })}</Text>
      </Stack>
    )}</Loaded>
  );
}
