import { Button, Code, Group, Progress, SimpleGrid, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { get, type Schemas } from "../api/client";
import { num, t, when } from "../i18n";
import { Facts, Failed, Figure, Loaded, Page, Panel, Status } from "../parts/bits";
import { useGet } from "../parts/link";
import { Low } from "../parts/table";

// System is how the installation is, for whoever runs it.
export default function System() {
  const query = useGet("/api/tenants/system");
  return (
    <Page title={t("System")} aside={<Button variant="default" onClick={() => void query.refetch()}>{t("Look again")}</Button>}>
      <Loaded query={query}>{(s) => (
        <Stack gap="md">
          <Panel title={t("Installation")}>
            <Facts of={[
              ["Version", <Code key="v">{s.version || "–"}</Code>], ["Status", <Status key="s" value={s.ready ? "ready" : "failed"} />], ["Store", s.engine === "sqlite" ? "SQLite" : "PostgreSQL"], ["Schema", String(s.schema)],
              ["A write takes", `${num(s.write_ms)} ms`], ["Running since", when(s.started_at)],
            ]} />
          </Panel>
          <SimpleGrid cols={{ base: 2, md: 4 }}>
            <Figure label="Work that waits" value={num(s.jobs.ready)} /><Figure label="Work under way" value={num(s.jobs.running)} /><Figure label="Work given up" value={num(s.jobs.dead)} /><Figure label="Longest delay" value={`${num(s.jobs.delay_seconds, 0)} s`} />
          </SimpleGrid>
        </Stack>
      )}</Loaded>
      <Integrity />
    </Page>
  );
}

type Sum = Pick<Schemas["CreditPart"], "accounts" | "transactions" | "entries" | "lots" | "holds" | "problems" | "percent">;

const nothing: Sum = { accounts: 0, transactions: 0, entries: 0, lots: 0, holds: 0, problems: [], percent: 0 };

// Integrity checks the whole ledger, a part at a time, and says how far it is.
function Integrity() {
  const [sum, setSum] = useState<Sum | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    setError(null);
    let all = nothing;
    setSum(all);
    try {
      for (let after: string | null = ""; after !== null;) {
        const p: Schemas["CreditPart"] = await get("/api/tenants/credits/integrity/part", {}, { after });
        all = {
          accounts: all.accounts + p.accounts, transactions: all.transactions + p.transactions, entries: all.entries + p.entries, lots: all.lots + p.lots, holds: all.holds + p.holds,
          problems: [...all.problems, ...p.problems].slice(0, 100), percent: p.percent,
        };
        setSum(all);
        after = p.next;
      }
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  const done = sum !== null && !busy && error === null;
  return (
    <Panel title={t("The ledger")} aside={<Button size="compact-sm" disabled={busy} onClick={() => void run()}>{t("Check the ledger")}</Button>}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">{t("Recounts every account and checks every hash, while the ledger works on.")}</Text>
        {sum && <Progress value={sum.percent} size="lg" color="var(--line-brand)" aria-label={t("Check the ledger")} />}
        {sum && <Group gap="md" role="status"><Text size="sm">{num(sum.percent)} %</Text>{done && <Status value={sum.problems.length === 0 ? "sound" : "failed"} />}</Group>}
        {sum && <Facts of={[["Accounts", num(sum.accounts)], ["Transactions", num(sum.transactions)], ["Entries", num(sum.entries)], ["Lots", num(sum.lots)], ["Holds", num(sum.holds)], ["Problems", num(sum.problems.length)]]} />}
        {sum && sum.problems.length > 0 && <Low name={t("Problems")} heads={["Kind", "Number", "What"]} rows={sum.problems.map((p) => [<Code key="c">{p.code}</Code>, p.account_id ? `#${p.account_id}` : "–", p.message])} />}
        {error !== null && <Failed error={error} again={() => void run()} />}
      </Stack>
    </Panel>
  );
}
