import { Button, Stack, Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { named, num, percent, t, when } from "../i18n";
import { useRights } from "../me";
import { Facts, Loaded, Page, Panel } from "../parts/bits";
import { type Action, Dialog } from "../parts/dialog";
import { Go, useGet } from "../parts/link";
import { refund } from "../parts/moves";
import { Low } from "../parts/table";
import { ActorName, AdminName, OrganizationName, PluginNames } from "../parts/whose";

export default function TransactionPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { superadmin, admins } = useRights();
  const query = useGet("/api/tenants/credits/transactions/{id}", { id });
  const [action, setAction] = useState<Action | null>(null);
  return (
    <Page title={t("Transaction {n}", { n: `#${id}` })} aside={superadmin && query.data && ["consume", "capture"].includes(query.data.kind) && <Button variant="default" onClick={() => setAction(refund(query.data))}>{t("Refund")}</Button>}>
      <Loaded query={query}>{(x) => <Panel title={named(x.kind)}><What x={x} /></Panel>}</Loaded>
      {(superadmin || admins.length > 0) && <Trace id={id} />}
      <Dialog action={action} close={() => setAction(null)} />
    </Page>
  );
}

function What({ x }: { x: Schemas["CreditTransaction"] }) {
  return <Facts of={[
    ["Amount", num(x.amount)], ["Balance after", num(x.balance_after)], ["Time", when(x.created_at)], ["Who", <ActorName key="w" of={x.actor} />],
    ["Organization", x.organization_id && <OrganizationName key="o" id={x.organization_id} />], ["Admin", x.admin_id && <AdminName key="a" id={x.admin_id} />],
    ["From where", named(x.source)], ["Plugin", x.plugin && <PluginNames key="p" keys={[x.plugin]} />], ["Reference", x.reference], ["Reason", x.reason], ["Expires", x.expires_at ? when(x.expires_at) : null],
    ["Net cost", x.net_cost === null ? null : num(x.net_cost)], ["Discount", x.discount_percent === null ? null : percent(x.discount_percent)],
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
              {p.lots.length > 0 && <Low name={t("Lots of part {n}", { n: i + 1 })} heads={["Kind", "Whose", "Time", "Reason", ["Amount"]]} rows={p.lots.map((l) => [
                named(l.kind), l.organization_id ? <OrganizationName key="o" id={l.organization_id} /> : l.admin_id ? <AdminName key="a" id={l.admin_id} /> : "–",
                <Go key="t" to={`/transactions/${l.transaction_id}`}>{when(l.created_at)}</Go>, l.reason ?? "–", num(l.amount),
              ])} />}
            </div>
          ))}
        </Stack>
      )}</Loaded>
    </Panel>
  );
}
