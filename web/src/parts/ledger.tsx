import { NativeSelect, SimpleGrid, Stack, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import type { Schemas, Values } from "../api/client";
import { day, language, named, num, t, when } from "../i18n";
import { useRights } from "../me";
import { Bars } from "./bars";
import { Empty, Figure, Loaded, Panel, Status } from "./bits";
import { Drawn } from "./drawn";
import { Go, useGet } from "./link";
import { type Column, List } from "./list";
import type { Line } from "./plot";
import { useRange } from "./range";
import { SaveCSV } from "./save";
import { Low } from "./table";
import { PluginNames, usePluginName } from "./whose";

type Transaction = Schemas["CreditTransaction"];
type Lot = Schemas["CreditOpenLot"];
type Hold = Schemas["CreditHold"];

const kinds = ["grant", "allocate", "add", "deallocate", "consume", "hold", "capture", "void", "hold_expire", "refund", "expire", "adjust"];

const columns: Column<Transaction>[] = [
  { head: "Time", cell: (x) => <Go to={`/transactions/${x.id}`}>{when(x.created_at)}</Go>, csv: (x) => x.created_at },
  { head: "Kind", cell: (x) => named(x.kind), csv: (x) => x.kind },
  { head: "Amount", cell: (x) => num(x.amount), csv: (x) => x.amount, right: true },
  { head: "Balance after", cell: (x) => num(x.balance_after), csv: (x) => x.balance_after, right: true },
  { head: "Net cost", cell: (x) => (x.net_cost === null ? "–" : num(x.net_cost)), csv: (x) => x.net_cost, right: true },
  { head: "Plugin", cell: (x) => (x.plugin ? <PluginNames keys={[x.plugin]} /> : "–"), csv: (x) => x.plugin },
  { head: "Reason", cell: (x) => x.reason ?? x.reference ?? "–", csv: (x) => x.reason ?? x.reference },
];

const paths = {
  admin: {
    figures: "/api/tenants/admins/{id}/credits",
    transactions: "/api/tenants/admins/{id}/credits/transactions", statement: "/api/tenants/admins/{id}/credits/statement",
    lots: "/api/tenants/admins/{id}/credits/lots", balances: "/api/tenants/admins/{id}/credits/balances",
  },
  organization: {
    figures: "/api/tenants/organizations/{org_id}/credits",
    transactions: "/api/tenants/organizations/{org_id}/credits/transactions", statement: "/api/tenants/organizations/{org_id}/credits/statement",
    lots: "/api/tenants/organizations/{org_id}/credits/lots", balances: "/api/tenants/organizations/{org_id}/credits/balances",
  },
} as const;

type Of = { of: keyof typeof paths; params: Values };

// Ledger is the credits of an admin or an organization: how the balance moved
// and where it leads, what expires, what is held, what they were spent on, the
// months, and every transaction.
export function Ledger({ of, id, account }: { of: keyof typeof paths; id: number; account?: number }) {
  const params: Values = of === "admin" ? { id } : { org_id: id };
  return (
    <Stack gap="md">
      <BalanceOverTime of={of} params={params} />
      <Lots of={of} params={params} />
      {of === "organization" && <Holds id={id} />}
      <Month of={of} params={params} />
      <Panel title={t("Transactions")} aside={account && <Go to={`/accounts/${account}`}>{t("Explain the balance")}</Go>}>
        <List path={paths[of].transactions} label={t("Transactions")} params={params} columns={columns as never} id={(x: Transaction) => x.id} filters={[{ name: "kind", label: "Kind", options: kinds }, { name: "from", label: "From", type: "date" }, { name: "to", label: "To", type: "date" }]} />
      </Panel>
    </Stack>
  );
}

const ahead = 30; // days that the forecast looks ahead

// BalanceOverTime draws what was there at the end of each day, and on from there
// as the server foresees it.
export function BalanceOverTime({ of, params }: Of) {
  const [days, range] = useRange("balance_days", ["7", "30", "92"]);
  const query = useGet(paths[of].balances, params, { days });
  const forecast = useGet(paths[of].figures, params).data?.forecast;
  const drawn = useMemo(() => draw((query.data as Schemas["CreditBalanceHistory"] | undefined)?.data ?? [], forecast), [query.data, forecast]);
  return (
    <Panel title={t("Balance over time")} aside={range}>
      <Loaded query={query}>{() => (
        <>
          <Drawn name={t("Balance over time")} times={drawn.times} lines={drawn.lines} />
          {forecast?.days_left && forecast.runs_out_at && <Text size="sm">{t("At this pace it is empty on {day}.", { day: day(forecast.runs_out_at) })}</Text>}
        </>
      )}</Loaded>
    </Panel>
  );
}

const oneDay = 86_400;

// draw makes the line and its forecast.
function draw(rows: Schemas["CreditDayBalance"][], forecast: Schemas["PaceOutlook"] | undefined): { times: number[]; lines: Line[] } {
  const times = rows.map((r) => Date.parse(r.date) / 1000);
  const values: (number | null)[] = rows.map((r) => r.balance);
  const balance = { label: t("Balance"), values };
  const last = rows.at(-1);
  const at = times.at(-1);
  if (!last || at === undefined || !forecast?.days_left) return { times, lines: [balance] };
  const until = Math.min(forecast.days_left, ahead);
  const ends = [...values.map((_, i) => (i === values.length - 1 ? last.balance : null)), last.balance - forecast.per_day * until];
  return {
    times: [...times, at + until * oneDay],
    lines: [{ ...balance, values: [...values, null] }, { label: t("Forecast"), values: ends, dashed: true }],
  };
}

const soon = 30 * 86_400_000; // as the API counts what expires soon

const lots: Column<Lot>[] = [
  { head: "Expires", cell: (l) => (l.expires_at === null ? t("never") : <>{when(l.expires_at)}{Date.parse(l.expires_at) - Date.now() < soon && <> <Status value="soon" /></>}</>), csv: (l) => l.expires_at },
  { head: "Kind", cell: (l) => named(l.category), csv: (l) => l.category },
  { head: "Left", cell: (l) => num(l.remaining), csv: (l) => l.remaining, right: true },
  { head: "Held", cell: (l) => num(l.held), csv: (l) => l.held, right: true },
  { head: "Amount", cell: (l) => num(l.amount), csv: (l) => l.amount, right: true },
  { head: "Since", cell: (l) => <Go to={`/transactions/${l.transaction_id}`}>{when(l.created_at)}</Go>, csv: (l) => l.created_at },
];

function Lots({ of, params }: Of) {
  return (
    <Panel title={t("Credits by expiry")}>
      <List path={paths[of].lots} label={t("Credits by expiry")} prefix="l_" params={params} columns={lots as never} id={(l: Lot) => l.id} empty={t("No credits are left.")} />
    </Panel>
  );
}

const holds: Column<Hold>[] = [
  { head: "Time", cell: (h) => <Go to={`/transactions/${h.id}`}>{when(h.created_at)}</Go>, csv: (h) => h.created_at },
  { head: "Plugin", cell: (h) => <PluginNames keys={[h.plugin]} />, csv: (h) => h.plugin }, { head: "Reference", cell: (h) => h.reference ?? "–", csv: (h) => h.reference },
  { head: "Amount", cell: (h) => num(h.amount), csv: (h) => h.amount, right: true }, { head: "Captured", cell: (h) => num(h.captured), csv: (h) => h.captured, right: true },
  { head: "Status", cell: (h) => <Status value={h.state} />, csv: (h) => h.state }, { head: "Ends", cell: (h) => when(h.ended_at ?? h.expires_at), csv: (h) => h.ended_at ?? h.expires_at },
];

function Holds({ id }: { id: number }) {
  return (
    <Panel title={t("Holds")}>
      <List path="/api/tenants/organizations/{org_id}/credits/holds" label={t("Holds")} prefix="h_" params={{ org_id: id }} columns={holds} id={(h: Hold) => h.id} filters={[{ name: "state", label: "Status", options: ["open", "captured", "voided", "expired"], first: "open" }]} empty={t("Nothing is held.")} />
    </Panel>
  );
}

function Month({ of, params }: Of) {
  const months = useMemo(() => [...Array(12).keys()].map((i) => {
    const d = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() - i, 1));
    return { value: d.toISOString().slice(0, 7), label: new Intl.DateTimeFormat(language(), { month: "long", year: "numeric", timeZone: "UTC" }).format(d) };
  }), []);
  const [month, setMonth] = useState(months[0]?.value ?? "");
  const path = paths[of].statement;
  const query = useGet(path, params, { month });
  return (
    <Panel title={t("Statement")} aside={<>
      <NativeSelect size="xs" aria-label={t("Month")} data={months} value={month} onChange={(e) => setMonth(e.currentTarget.value)} />
      <SaveCSV path={path} params={params} query={{ month }} name={`${t("Statement")} ${month}`} />
    </>}>
      <Loaded query={query as { data: unknown; error: unknown; refetch: () => unknown }}>{(data) => <Sums s={data as Schemas["CreditMonthlyStatement"]} admin={of === "admin"} />}</Loaded>
    </Panel>
  );
}

function Sums({ s, admin }: { s: Schemas["CreditMonthlyStatement"]; admin: boolean }) {
  return (
    <Stack gap="sm">
      <SimpleGrid cols={2}><Figure label="Opening balance" value={num(s.opening)} /><Figure label="Closing balance" value={num(s.closing)} /></SimpleGrid>
      {s.entries.length === 0 ? <Empty>{t("Nothing moved in this month.")}</Empty>
        : <Low name={t("Statement")} heads={["Kind", ["In"], ["Out"], ["Net cost"]]} rows={s.entries.map((e) => [`${named(e.kind)} (${num(e.count)})`, num(e.in), num(e.out), num(e.net_cost)])} />}
      {s.consumption.length > 0 && <Spending rows={s.consumption} admin={admin} />}
    </Stack>
  );
}

// Spending is what the credits went to, by plugin; of an admin also by
// organization.
function Spending({ rows, admin }: { rows: Schemas["CreditConsumption"][]; admin: boolean }) {
  const { superadmin, admins } = useRights();
  const name = usePluginName();
  const sums = new Map<string, number>();
  for (const r of rows) sums.set(r.plugin, (sums.get(r.plugin) ?? 0) + r.amount);
  return (
    <SimpleGrid cols={{ base: 1, md: admin ? 2 : 1 }}>
      <div><Text fw={600} size="sm" mb={4}>{t("Spent by plugin")}</Text><Bars caption={t("Spent by plugin")} rows={[...sums].sort((a, b) => b[1] - a[1]).map(([key, value]) => ({ key, label: name(key), value }))} /></div>
      {admin && <div>
        <Text fw={600} size="sm" mb={4}>{t("Spent by organization")}</Text>
        <Low name={t("Spent by organization")} heads={["Organization", "Plugin", ["Amount"]]} rows={rows.map((r) => [superadmin || admins.length > 0 ? <Go key="o" to={`/organizations/${r.organization_id}`}>{r.organization}</Go> : r.organization, name(r.plugin), num(r.amount)])} />
      </div>}
    </SimpleGrid>
  );
}
