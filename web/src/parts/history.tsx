import { Group, NativeSelect, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useMemo } from "react";
import type { Schemas, Values } from "../api/client";
import { percent, quantity, said, t, when } from "../i18n";
import { useAddress } from "./address";
import { Empty, Figure, Loaded, Panel } from "./bits";
import { Drawn } from "./drawn";
import { dayIn, spanned } from "./days";
import { useGet } from "./link";
import type { Line } from "./plot";
import { SaveCSV } from "./save";
import { usePluginName } from "./whose";

type History = Schemas["UsageHistory"];

const path = "/api/tenants/organizations/{org_id}/usage/history" as const;
const iso = (d: Date) => d.toISOString().slice(0, 10);
const before = (days: number) => iso(new Date(Date.now() - days * 86_400_000));

// UsageHistory draws a meter by hour or day, beside the span just before it.
export function UsageHistory({ id }: { id: number }) {
  const meters = useGet("/api/tenants/meters", {}, { limit: 200 });
  const [search, set] = useAddress();
  const { u_meter: meter = "bandwidth_bytes", u_plugin: plugin = "", u_to: to = iso(new Date()) } = search;
  const step = search.u_step === "hour" ? "hour" : "day";
  const from = search.u_from ?? before(step === "hour" ? 2 : 29);
  const parts = useGet("/api/tenants/organizations/{org_id}/usage/plugins", { org_id: id });
  const query: Values = { meter, step, plugin: plugin || undefined, ...(from ? { from: `${from}T00:00:00Z` } : {}), ...(to ? { to: `${to}T23:59:59Z` } : {}) };
  const history = useGet(path, { org_id: id }, query);
  const known = (meters.data?.data ?? []).filter((m) => m.kind !== "seats");
  const plugins = [...new Set((parts.data?.data ?? []).filter((p) => p.meters.some((m) => m.meter === meter)).map((p) => p.plugin))];
  const pluginName = usePluginName();
  return (
    <Panel title={t("History of a meter")} aside={<SaveCSV path={path} params={{ org_id: id }} query={query} name={`${t("Usage")} ${meter}`} />}>
      <Stack gap="sm">
        <Group gap="xs" align="flex-end">
          <NativeSelect size="xs" label={t("Meter")} value={meter} onChange={(e) => set({ u_meter: e.currentTarget.value, u_plugin: "" })} data={known.map((m) => ({ value: m.key, label: said(m.name) }))} />
          <NativeSelect size="xs" label={t("By")} value={step} onChange={(e) => set({ u_step: e.currentTarget.value, u_from: "" })} data={[{ value: "day", label: t("Day") }, { value: "hour", label: t("Hour") }]} />
          <TextInput size="xs" type="date" label={t("From")} value={from} onChange={(e) => set({ u_from: e.currentTarget.value })} />
          <TextInput size="xs" type="date" label={t("To")} value={to} onChange={(e) => set({ u_to: e.currentTarget.value })} />
          <NativeSelect size="xs" label={t("Plugin")} value={plugin} onChange={(e) => set({ u_plugin: e.currentTarget.value })} data={[{ value: "", label: t("all") }, ...plugins.map((p) => ({ value: p, label: pluginName(p) }))]} />
        </Group>
        <Loaded query={history}>{(h) => <Curve h={h} />}</Loaded>
      </Stack>
    </Panel>
  );
}

function Curve({ h }: { h: History }) {
  const { times, lines } = useMemo(() => {
    const scale = h.unit === "bytes" ? 1e9 : 1;
    const points = h.data ?? [];
    const all: Line[] = [{ label: h.unit === "bytes" ? "GB" : h.unit || t("Value"), values: points.map((p) => p.value / scale), bars: h.kind === "counter", stepped: h.kind === "gauge" }];
    if (h.kind === "gauge") all.push({ label: t("Peak"), values: points.map((p) => (p.peak === null ? null : p.peak / scale)), dashed: true });
    return { times: points.map((p) => (h.step === "day" ? dayIn(Date.parse(p.from), h.timezone) : Date.parse(p.from)) / 1000), lines: all };
  }, [h]);
  const change = h.previous.change_percent;
  return (
    <Stack gap="sm">
      {times.length === 0 ? <Empty>{t("There is nothing here.")}</Empty> : <Drawn name={t("History of a meter")} times={times} lines={lines} hours={h.step === "hour"} />}
      <SimpleGrid cols={{ base: 2, xs: 3 }}>
        <Figure label={h.kind === "counter" ? "In all" : "In the end"} value={quantity(h.total, h.unit)} />
        <Figure label="The span before" value={quantity(h.previous.total, h.unit)} note={h.step === "day" ? spanned(h.previous.from, h.previous.to) : `${when(h.previous.from)} – ${when(h.previous.to)}`} />
        <Figure label="Change" value={change === null ? "–" : `${change > 0 ? "+" : ""}${percent(change)}`} />
      </SimpleGrid>
      <Text size="sm" c="dimmed">{t(h.kind === "counter" ? "Counted up in each span, in the time zone {zone}." : "As it stood at the end of each span, in the time zone {zone}.", { zone: h.timezone })}</Text>
    </Stack>
  );
}
