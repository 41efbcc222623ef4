import { NativeSelect, Text } from "@mantine/core";
import { useMemo } from "react";
import type { Schemas } from "../api/client";
import { percent, quantity, said, t } from "../i18n";
import { useAddress } from "./address";
import { Bars } from "./bars";
import { Empty, Loaded, Panel } from "./bits";
import { Drawn } from "./drawn";
import { Go, useGet } from "./link";
import { useRange } from "./range";
import { SaveRows } from "./save";
import { Low } from "./table";
import { useMeterName } from "./whose";

// CreditFlow is how many credits were handed out and used up, day by day.
export function CreditFlow({ platform }: { platform: boolean }) {
  const [days, range] = useRange("credit_days");
  const query = useGet("/api/tenants/credits/flow", {}, { days });
  return (
    <Panel title={t("Credits granted and consumed")} aside={range}>
      <Loaded query={query}>{(f) => <Flow days={f.data} platform={platform} />}</Loaded>
    </Panel>
  );
}

function Flow({ days, platform }: { days: Schemas["CreditFlowDay"][]; platform: boolean }) {
  const { times, lines } = useMemo(() => ({
    times: days.map((d) => Date.parse(d.date) / 1000),
    lines: [
      { label: t("Granted"), values: days.map((d) => (platform ? d.granted + d.added : d.granted)), bars: true },
      { label: t("Handed on"), values: days.map((d) => d.allocated - d.deallocated) },
      { label: t("Consumed"), values: days.map((d) => d.consumed - d.refunded) },
    ],
  }), [days, platform]);
  return <Drawn name={t("Credits granted and consumed")} times={times} lines={lines} />;
}

// NearLimits are the organizations that have used most of what they may.
export function NearLimits() {
  const query = useGet("/api/tenants/usage/near-limits", {}, { limit: 200 });
  const meterName = useMeterName();
  return (
    <Panel title={t("Organizations above {n} %", { n: query.data?.threshold ?? 80 })} aside={<SaveRows name={t("Near a limit")} head={["organization_id", "name", "meter", "used", "limit", "percent"]} rows={(query.data?.data ?? []).map((p) => [p.organization_id, p.name, p.meter, p.used, p.limit, p.percent])} />}>
      <Loaded query={query}>{(p) => p.data.length === 0 ? <Empty>{t("Nobody is near a limit.")}</Empty> : (
        <>
          <Low name={t("Near a limit")} heads={["Organization", "Meter", ["Used"], ["Limit"], ["Part"]]} rows={p.data.map((x) => [<Go key="o" to={`/organizations/${x.organization_id}`} search={{ tab: "usage" }}>{x.name}</Go>, meterName(x.meter), quantity(x.used, x.unit), quantity(x.limit, x.unit), percent(x.percent, 0)])} />
          {p.total > p.data.length && <Text size="sm" c="dimmed">{t("The first {n} of {all}.", { n: p.data.length, all: p.total })}</Text>}
        </>
      )}</Loaded>
    </Panel>
  );
}

// TopOrganizations are those that use most of a meter.
export function TopOrganizations() {
  const [search, set] = useAddress();
  const meter = search.top ?? "bandwidth_bytes";
  const meters = useGet("/api/tenants/meters", {}, { limit: 200 });
  const query = useGet("/api/tenants/usage/top", {}, { meter, limit: 10 });
  const known = (meters.data?.data ?? []).filter((m) => m.kind !== "seats");
  const unit = known.find((m) => m.key === meter)?.unit ?? "";
  return (
    <Panel title={t("Top organizations")} aside={<NativeSelect size="xs" aria-label={t("Meter")} value={meter} onChange={(e) => set({ top: e.currentTarget.value })} data={known.map((m) => ({ value: m.key, label: said(m.name) }))} />}>
      <Loaded query={query}>{(l) => (l.data ?? []).length === 0 ? <Empty>{t("There is nothing here.")}</Empty>
        : <Bars caption={t("Top organizations")} rows={(l.data ?? []).map((x) => ({ key: String(x.organization_id), label: x.name, value: x.used, shown: quantity(x.used, unit), at: <Go to={`/organizations/${x.organization_id}`}>{x.name}</Go> }))} />}</Loaded>
    </Panel>
  );
}
