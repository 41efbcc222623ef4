import { Button, Group, Progress, SimpleGrid, Table } from "@mantine/core";
import { useMemo } from "react";
import type { Schemas } from "../api/client";
import { num, percent, t } from "../i18n";
import { Bars } from "./bars";
import { Empty, Loaded, Panel } from "./bits";
import { download, toCSV } from "./csv";
import { Drawn } from "./drawn";
import { useGet } from "./link";
import { useRange } from "./range";

type Stats = Schemas["RegistrationStats"];

// RequestStats is how many asked for an organization, how far they came, and
// which campaign brought them.
export function RequestStats() {
  const [days, range] = useRange();
  const query = useGet("/api/tenants/requests/stats", {}, { days });
  return (
    <Loaded query={query}>{(s) => (
      <>
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Panel title={t("Registrations per day")} aside={range}><PerDay s={s} /></Panel>
          <Panel title={t("From sign-up to active")}><Funnel s={s} /></Panel>
        </SimpleGrid>
        <Panel title={t("Campaigns")}><Campaigns s={s} /></Panel>
      </>
    )}</Loaded>
  );
}

function PerDay({ s }: { s: Stats }) {
  const { times, lines } = useMemo(() => {
    const all = s.by_day ?? [];
    return {
      times: all.map((d) => new Date(d.date).getTime() / 1000),
      lines: [{ label: t("Submitted"), values: all.map((d) => d.submitted), bars: true }, { label: t("Active"), values: all.map((d) => d.active) }, { label: t("Rejected"), values: all.map((d) => d.rejected), bad: true }],
    };
  }, [s]);
  return <Drawn name={t("Registrations per day")} times={times} lines={lines} />;
}

const part = (n: number, of: number) => (of ? percent((n / of) * 100, 0) : undefined);

function Funnel({ s }: { s: Stats }) {
  return <Bars caption={t("From sign-up to active")} rows={[
    { label: t("Submitted"), value: s.submitted }, { label: t("Approved"), value: s.approved, note: part(s.approved, s.submitted) },
    { label: t("Active"), value: s.active, note: part(s.active, s.submitted) }, { label: t("Rejected"), value: s.rejected, note: part(s.rejected, s.submitted) },
  ]} />;
}

function Campaigns({ s }: { s: Stats }) {
  const all = s.by_campaign ?? [];
  if (all.length === 0) return <Empty>{t("There is nothing here.")}</Empty>;
  const name = (c: (typeof all)[number]) => [c.utm_source, c.utm_medium, c.utm_campaign].filter(Boolean).join(" / ") || t("No campaign");
  const csv = () => download("campaigns.csv", toCSV(["utm_source", "utm_medium", "utm_campaign", "submitted", "approved", "active", "rejected"], all.map((c) => [c.utm_source, c.utm_medium, c.utm_campaign, c.submitted, c.approved, c.active, c.rejected])));
  return (
    <>
      <div className="table low" tabIndex={0} role="region" aria-label={t("Campaigns")}>
        <Table>
          <Table.Thead><Table.Tr><Table.Th>{t("Campaign")}</Table.Th><Table.Th ta="right">{t("Submitted")}</Table.Th><Table.Th ta="right">{t("Active")}</Table.Th><Table.Th ta="right">{t("Active of them")}</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>{all.map((c) => <Table.Tr key={name(c)}><Table.Td>{name(c)}</Table.Td><Table.Td ta="right">{num(c.submitted)}</Table.Td><Table.Td ta="right">{num(c.active)}</Table.Td><Table.Td ta="right">{part(c.active, c.submitted)}<Progress mt={4} size="sm" value={c.submitted ? (c.active / c.submitted) * 100 : 0} color="var(--line-brand)" aria-label={name(c)} /></Table.Td></Table.Tr>)}</Table.Tbody>
        </Table>
      </div>
      <Group justify="flex-end" mt="xs"><Button size="compact-sm" variant="default" onClick={csv}>CSV</Button></Group>
    </>
  );
}
