import { Code, Stack, Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import type { Schemas } from "../api/client";
import { named, num, t, when } from "../i18n";
import { useRights } from "../me";
import { Facts, Loaded, Page, Panel } from "../parts/bits";
import { Go, useGet } from "../parts/link";
import { Low } from "../parts/table";
import { AdminName, OrganizationName } from "../parts/whose";

export default function TransactionPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { superadmin, admins } = useRights();
  const query = useGet("/api/tenants/credits/transactions/{id}", { id });
  return (
    <Page title={t("Transaction {n}", { n: `#${id}` })}>
      <Loaded query={query}>{(x) => <Panel title={named(x.kind)}><What x={x} /></Panel>}</Loaded>
      {(superadmin || admins.length > 0) && <Trace id={id} />}
    </Page>
  );
}

function What({ x }: { x: Schemas["CreditTransaction"] }) {
  return <Facts of={[
    ["Amount", num(x.amount)], ["Balance after", num(x.balance_after)], ["Time", when(x.created_at)], ["Who", `${named(x.actor.type)}${x.actor.id ? ` #${x.actor.id}` : ""}`],
    ["Organization", x.organization_id && <OrganizationName key="o" id={x.organization_id} />], ["Admin", x.admin_id && <AdminName key="a" id={x.admin_id} />],
    ["From where", named(x.source)], ["Plugin", x.plugin], ["Reference", x.reference], ["Reason", x.reason], ["Expires", x.expires_at ? when(x.expires_at) : null],
    ["Net cost", x.net_cost === null ? null : num(x.net_cost)], ["Discount", x.discount_percent === null ? null : `${num(x.discount_percent)} %`],
    ["Hold", x.hold_id && <Go key="h" to={`/transactions/${x.hold_id}`}>#{x.hold_id}</Go>], ["Gives back", x.reverses_id && <Go key="r" to={`/transactions/${x.reverses_id}`}>#{x.reverses_id}</Go>],
  ]} />;
}

// Trace follows the credits back, lot by lot, to the grant that they came from.
function Trace({ id }: { id: string }) {
  const query = useGet("/api/tenants/credits/transactions/{id}/trace", { id });
  return (
    <Panel title={t("Where its credits came from")}>
      <Loaded query={query}>{(trail) => (
        <Stack gap="md">
          {trail.pieces.length === 0 && <Text size="sm" c="dimmed">{t("It took no credits out of a lot.")}</Text>}
          {trail.pieces.map((p, i) => (
            <div key={i}>
              <Text size="sm" fw={600} mb={4}>{p.overdrawn ? t("{n} credits out of the credit limit", { n: p.amount }) : t("{n} credits", { n: p.amount })}</Text>
              {p.lots.length > 0 && <Low name={t("Lots of part {n}", { n: i + 1 })} heads={["Lot", "Kind", "Whose", "Time", "Reason", ["Amount"]]} rows={p.lots.map((l) => [
                <Code key="l">#{l.id}</Code>, named(l.kind), l.organization_id ? <OrganizationName key="o" id={l.organization_id} /> : l.admin_id ? <AdminName key="a" id={l.admin_id} /> : "–",
                <Go key="t" to={`/transactions/${l.transaction_id}`}>{when(l.created_at)}</Go>, l.reason ?? "–", num(l.amount),
              ])} />}
            </div>
          ))}
        </Stack>
      )}</Loaded>
    </Panel>
  );
}
