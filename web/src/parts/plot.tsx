import { Button, Group, Stack, Table } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { language, num, t, when } from "../i18n";
import { apart } from "../theme";
import { dated } from "./days";
import { SaveRows } from "./save";

export type Line = { label: string; values: (number | null)[]; bars?: boolean; dashed?: boolean; stepped?: boolean; bad?: boolean };

// Plot draws lines or bars over time, by days as days.ts has them or by hours; the same figures are a table for whoever
// prefers to read, and a CSV file.
export function Plot({ name, times, lines, hours }: { name: string; times: number[]; lines: Line[]; hours?: boolean }) {
  const [asTable, setAsTable] = useState(false);
  const rows = times.map((at, i) => [(hours ? when(new Date(at * 1000).toISOString()) : dated(at * 1000)), ...lines.map((l) => l.values[i] ?? null)]);
  return (
    <Stack gap="xs">
      {asTable ? <Figures name={name} lines={lines} rows={rows} hours={hours} /> : <Canvas name={name} times={times} lines={lines} hours={hours} />}
      <Group gap="xs" justify="flex-end">
        <Button size="compact-sm" variant="default" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>{asTable ? t("As a plot") : t("As a table")}</Button>
        <SaveRows name={name} head={[t(hours ? "Hour" : "Day"), ...lines.map((l) => l.label)]} rows={times.map((at, i) => [new Date(at * 1000).toISOString().slice(0, hours ? undefined : 10), ...lines.map((l) => l.values[i])])} />
      </Group>
    </Stack>
  );
}

function Figures({ name, lines, rows, hours }: { name: string; lines: Line[]; rows: (string | number | null)[][]; hours?: boolean }) {
  return (
    <div className="table low" tabIndex={0} role="region" aria-label={name}>
      <Table>
        <Table.Thead><Table.Tr><Table.Th>{t(hours ? "Hour" : "Day")}</Table.Th>{lines.map((l) => <Table.Th key={l.label} ta="right">{l.label}</Table.Th>)}</Table.Tr></Table.Thead>
        <Table.Tbody>{rows.map((r, i) => <Table.Tr key={i}>{r.map((v, k) => <Table.Td key={k} ta={k ? "right" : undefined}>{typeof v === "number" ? num(v) : (v ?? "–")}</Table.Td>)}</Table.Tr>)}</Table.Tbody>
      </Table>
    </div>
  );
}

function Canvas({ name, times, lines, hours }: { name: string; times: number[]; lines: Line[]; hours?: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    let plot: uPlot | null = null;
    const draw = () => {
      plot?.destroy();
      plot = new uPlot(options(el, times, lines, hours), [times, ...lines.map((l) => (l.bars ? l.values.map((v) => v || null) : l.values))] as uPlot.AlignedData, el);
    };
    draw();
    const resized = new ResizeObserver(() => plot?.setSize({ width: el.clientWidth, height: 220 }));
    resized.observe(el);
    const schemed = new MutationObserver(draw);
    schemed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
    return () => {
      resized.disconnect();
      schemed.disconnect();
      plot?.destroy();
    };
  }, [times, lines]);
  return <div ref={box} className="plot" role="img" aria-label={name} />;
}

// whole are the steps of an axis of what is counted in ones.
const whole = [...Array(12).keys()].flatMap((i) => [1, 2, 5].map((n) => n * 10 ** i));

function options(el: HTMLElement, times: number[], lines: Line[], hours?: boolean): uPlot.Options {
  const css = getComputedStyle(el);
  const colour = (v: string) => css.getPropertyValue(v).trim();
  const ink = colour("--mantine-color-text");
  const grid = { stroke: `${colour("--line")}44`, width: 1 };
  const paints = apart(["--line-brand", "--line-second", "--warn", "--good", "--bad", "--line"].map(colour)); // a brand's two may be one
  const paint = (l: Line, i: number) => (l.bad ? colour("--bad") : paints[i % paints.length]);
  const half = lines.some((l) => l.bars) ? ((times[1] ?? 0) - (times[0] ?? 0)) / 2 : 0; // of a bar, at both ends
  const counted = lines.every((l) => l.values.every((v) => v === null || Number.isInteger(v)));
  const month = new Intl.DateTimeFormat(language(), { day: "numeric", month: "short", ...(hours ? { hour: "numeric" } : { timeZone: "UTC" }) });
  return {
    width: el.clientWidth, height: 220, cursor: { y: false }, ...(!hours && { tzDate: (s: number) => uPlot.tzDate(new Date(s * 1000), "UTC") }), legend: { live: false },
    scales: { x: { range: (_u, from, to) => [from - half, to + half] }, y: { range: (_u, low, high) => [Math.min(0, low ?? 0), Math.max(1, (high ?? 1) * 1.05)] } },
    axes: [
      { stroke: ink, grid, ticks: grid, values: (_u, at) => at.map((s) => month.format(s * 1000)) },
      { stroke: ink, grid, ticks: grid, size: 70, ...(counted && { incrs: whole }), values: (_u, v) => v.map((n) => new Intl.NumberFormat(language(), { notation: "compact" }).format(n)) },
    ],
    series: [{}, ...lines.map((l, i): uPlot.Series => ({
      label: l.label, stroke: paint(l, i), width: 2, dash: l.dashed ? [6, 4] : undefined, points: { show: false }, fill: l.bars ? `${paint(l, i)}66` : undefined,
      paths: l.bars ? uPlot.paths.bars?.({ size: [0.7, 40] }) : l.stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined,
    }))],
  };
}
