import { num, quantity, t } from "../i18n";
import { Empty, Loaded, Panel } from "./bits";
import { useGet } from "./link";
import { Low } from "./table";

// PluginUsage is each plugin's part of what an organization uses this month.
export function PluginUsage({ id }: { id: number }) {
  const query = useGet("/api/tenants/organizations/{org_id}/usage/plugins", { org_id: id });
  return (
    <Panel title={t("Used by plugin")}>
      <Loaded query={query}>{(u) => (u.data ?? []).length === 0 ? <Empty>{t("No plugin has reported anything yet.")}</Empty>
        : <Low name={t("Used by plugin")} heads={["Plugin", "Meter", ["Used"], ["Events"]]} rows={(u.data ?? []).map((p) => [p.plugin, p.meter, quantity(p.used, p.unit), num(p.events)])} />}</Loaded>
    </Panel>
  );
}
