import { Button, Group, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import type { FormEvent } from "react";
import type { Schemas } from "../api/client";
import { named, num, t, when } from "../i18n";
import { useAddress } from "../parts/address";
import { Empty, Facts, Figure, Loaded, Page, Panel } from "../parts/bits";
import { Go, useGet } from "../parts/link";
import { Low } from "../parts/table";
import { AdminName, OrganizationName, PluginNames } from "../parts/whose";

// AccountPage explains why a wallet holds what it holds, now or at a time.
export default function AccountPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const [search, set] = useAddress();
  const at = Number.isNaN(Date.parse(search.at ?? "")) ? "" : (search.at ?? ""); // somebody may have written it by hand
  const query = useGet("/api/tenants/credits/accounts/{id}/explain", { id }, at ? { at: new Date(at).toISOString() } : {});
  const ask = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    set({ at: String(new FormData(e.currentTarget).get("at") ?? "") }, true);
  };
  return (
    <Page title={t("Why the balance is what it is")} aside={
      <form onSubmit={ask}><Group gap="xs" align="flex-end">
        <TextInput size="xs" type="datetime-local" name="at" label={t("At this time")} defaultValue={at} key={at} />
        <Button size="xs" type="submit" variant="default">{t("Explain")}</Button>
      </Group></form>
    }>
      <Loaded query={query}>{(e) => <Explained e={e} />}</Loaded>
    </Page>
  );
}

function Explained({ e }: { e: Schemas["CreditExplanation"] }) {
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 2, md: 4 }}>
        <Figure label="Available" value={num(e.available)} /><Figure label="Balance" value={num(e.balance)} /><Figure label="Held" value={num(e.held)} /><Figure label="Credit limit" value={num(e.limit)} />
      </SimpleGrid>
      <Panel title={t("What was in force")}>
        <Facts of={[
          ["Time", when(e.at)], ["Organization", e.organization_id && <OrganizationName key="o" id={e.organization_id} />], ["Admin", e.admin_id && <AdminName key="a" id={e.admin_id} />],
          ["Limit backed by", e.policy.limit_backed_by ? <AdminName key="b" id={e.policy.limit_backed_by} /> : t("Platform")], ["Limit set", when(e.policy.limit_set_at)],
          ["Backing limits", e.admin_id && num(e.policy.limits_backed)],
        ]} />
      </Panel>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Panel title={t("The sum of all that moved")}>
          {e.totals.length === 0 ? <Empty>{t("There is nothing here.")}</Empty>
            : <Low name={t("The sum of all that moved")} heads={["Kind", ["In"], ["Out"]]} rows={e.totals.map((x) => [`${named(x.kind)} (${num(x.count)})`, num(x.in), num(x.out)])} />}
        </Panel>
        <Panel title={t("In these lots, in the order they are spent")}>
          {e.lots.length === 0 ? <Empty>{t("No credits are left.")}</Empty>
            : <Low name={t("In these lots, in the order they are spent")} heads={["Kind", "Expires", ["Left"]]} rows={e.lots.map((l) => [<Go key="l" to={`/transactions/${l.transaction_id}`}>{named(l.category)}</Go>, l.expires_at ? when(l.expires_at) : t("never"), num(l.remaining)])} />}
        </Panel>
      </SimpleGrid>
      {e.holds.length > 0 && <Panel title={t("Holds")}>
        <Low name={t("Holds")} heads={["Plugin", "Ends", ["Amount"], ["Left"]]} rows={e.holds.map((h) => [<Go key="h" to={`/transactions/${h.id}`}><PluginNames keys={[h.plugin]} /></Go>, when(h.expires_at), num(h.amount), num(h.left)])} />
      </Panel>}
      <Panel title={t("Entries")}>
        {e.entries.length === 0 ? <Empty>{t("There is nothing here.")}</Empty>
          : <Low name={t("Entries")} heads={["Time", "Kind", ["In"], ["Out"], ["Balance after"]]} rows={e.entries.map((x) => [<Go key="t" to={`/transactions/${x.transaction_id}`}>{when(x.created_at)}</Go>, x.effect === "post" ? named(x.kind) : `${named(x.kind)} · ${named(x.effect)}`, num(x.in), num(x.out), num(x.balance_after)])} />}
        {e.entries_total > e.entries.length && t("The newest {n} of {all}.", { n: e.entries.length, all: e.entries_total })}
      </Panel>
    </Stack>
  );
}
