import { NativeSelect, SimpleGrid, Stack, Table, Text } from "@mantine/core";
import { lazy, Suspense, useMemo, useState } from "react";
import type { GetPath, Schemas, Values } from "../api/client";
import { day, language, named, num, t, when } from "../i18n";
import { Empty, Figure, Loaded, Panel, Waiting } from "./bits";
import { useGet } from "./link";
import { type Column, List } from "./list";
import type { Line } from "./plot";

const Plot = lazy(() => import("./plot").then((m) => ({ default: m.Plot })));

type Transaction = Schemas["CreditTransaction"];
type Statement = Schemas["CreditMonthlyStatement"];

const columns: Column<Transaction>[] = [
  { head: "Time", cell: (x) => when(x.created_at), csv: (x) => x.created_at },
  { head: "Kind", cell: (x) => named(x.kind), csv: (x) => x.kind },
  { head: "Amount", cell: (x) => num(x.amount), csv: (x) => x.amount, right: true },
  { head: "Balance after", cell: (x) => num(x.balance_after), csv: (x) => x.balance_after, right: true },
  { head: "Net cost", cell: (x) => (x.net_cost === null ? "–" : num(x.net_cost)), csv: (x) => x.net_cost, right: true },
  { head: "Reason", cell: (x) => x.reason ?? "–", csv: (x) => x.reason },
];

const paths = {
  admin: { transactions: "/api/tenants/admins/{id}/credits/transactions", statement: "/api/tenants/admins/{id}/credits/statement" },
  organization: { transactions: "/api/tenants/organizations/{org_id}/credits/transactions", statement: "/api/tenants/organizations/{org_id}/credits/statement" },
} as const;

// Ledger is the credits of an admin or an organization: how the balance moved
// and where it leads, the months, and every transaction.
export function Ledger({ of, id }: { of: keyof typeof paths; id: number }) {
  const params: Values = of === "admin" ? { id } : { org_id: id };
  return (
    <Stack gap="md">
      <BalanceOverTime path={paths[of].transactions} params={params} />
      <Month path={paths[of].statement} params={params} />
      <Panel title={t("Transactions")}>
        <List path={paths[of].transactions} label={t("Transactions")} params={params} columns={columns as never} id={(x: Transaction) => x.id} filters={[{ name: "kind", label: "Kind", options: ["grant", "allocate", "add"] }, { name: "from", label: "From", type: "date" }, { name: "to", label: "To", type: "date" }]} />
      </Panel>
    </Stack>
  );
}

const shown = 200; // transactions that the plot draws
const ahead = 30; // days that the forecast looks ahead

function BalanceOverTime({ path, params }: { path: GetPath; params: Values }) {
  const query = useGet(path, params, { limit: shown });
  const rows = (query.data as { data?: Transaction[] | null } | undefined)?.data ?? [];
  const drawn = useMemo(() => draw([...rows].reverse()), [rows]);
  return (
    <Panel title={t("Balance over time")}>
      <Loaded query={query}>{() => rows.length < 2 ? <Empty>{t("Too few transactions to draw.")}</Empty> : (
        <>
          <Suspense fallback={<Waiting />}><Plot name={t("Balance over time")} times={drawn.times} lines={drawn.lines} /></Suspense>
          {rows.length === shown && <Text size="sm" c="dimmed">{t("The newest {n} transactions.", { n: shown })}</Text>}
          {drawn.emptyOn && <Text size="sm">{t("At this pace it is empty on {day}.", { day: day(drawn.emptyOn * 1000) })}</Text>}
        </>
      )}</Loaded>
    </Panel>
  );
}

// draw makes the line and its forecast: the mean change of a day since the
// first transaction shown, carried on.
function draw(rows: Transaction[]): { times: number[]; lines: Line[]; emptyOn: number | null } {
  const first = rows[0];
  const last = rows.at(-1);
  if (!first || !last) return { times: [], lines: [], emptyOn: null };
  const at = (x: Transaction) => new Date(x.created_at).getTime() / 1000;
  const times = rows.map(at);
  const values: (number | null)[] = rows.map((x) => x.balance_after);
  const days = (at(last) - at(first)) / 86_400;
  const spent = rows.slice(1).filter((x) => x.balance_after < (rows[rows.indexOf(x) - 1]?.balance_after ?? 0));
  const pace = days >= 1 ? spent.reduce((n, x) => n + Math.abs(x.amount), 0) / days : 0;
  if (pace <= 0 || last.balance_after <= 0) return { times, lines: [{ label: t("Balance"), values, stepped: true }], emptyOn: null };
  const left = last.balance_after / pace;
  const until = Math.min(left, ahead);
  const forecast = [...values.map((_, i) => (i === values.length - 1 ? last.balance_after : null)), last.balance_after - pace * until];
  return {
    times: [...times, at(last) + until * 86_400],
    lines: [{ label: t("Balance"), values: [...values, null], stepped: true }, { label: t("Forecast"), values: forecast, dashed: true }],
    emptyOn: left <= 365 ? at(last) + left * 86_400 : null,
  };
}

function Month({ path, params }: { path: GetPath; params: Values }) {
  const months = useMemo(() => [...Array(12).keys()].map((i) => {
    const d = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() - i, 1));
    return { value: d.toISOString().slice(0, 7), label: new Intl.DateTimeFormat(language(), { month: "long", year: "numeric", timeZone: "UTC" }).format(d) };
  }), []);
  const [month, setMonth] = useState(months[0]?.value ?? "");
  const query = useGet(path, params, { month });
  return (
    <Panel title={t("Statement")} aside={<NativeSelect size="xs" aria-label={t("Month")} data={months} value={month} onChange={(e) => setMonth(e.currentTarget.value)} />}>
      <Loaded query={query as { data: unknown; error: unknown; refetch: () => unknown }}>{(data) => {
        const s = data as Statement;
        return (
          <Stack gap="sm">
            <SimpleGrid cols={{ base: 1, xs: 2 }}><Figure label="Opening balance" value={num(s.opening)} /><Figure label="Closing balance" value={num(s.closing)} /></SimpleGrid>
            {s.entries.length === 0 ? <Empty>{t("Nothing moved in this month.")}</Empty> : (
              <div className="table low" tabIndex={0} role="region" aria-label={t("Statement")}>
                <Table>
                  <Table.Thead><Table.Tr><Table.Th>{t("Kind")}</Table.Th><Table.Th ta="right">{t("In")}</Table.Th><Table.Th ta="right">{t("Out")}</Table.Th><Table.Th ta="right">{t("Net cost")}</Table.Th></Table.Tr></Table.Thead>
                  <Table.Tbody>{s.entries.map((e) => <Table.Tr key={e.kind}><Table.Td>{named(e.kind)} ({num(e.count)})</Table.Td><Table.Td ta="right">{num(e.in)}</Table.Td><Table.Td ta="right">{num(e.out)}</Table.Td><Table.Td ta="right">{num(e.net_cost)}</Table.Td></Table.Tr>)}</Table.Tbody>
                </Table>
              </div>
            )}
          </Stack>
        );
      }}</Loaded>
    </Panel>
  );
}
