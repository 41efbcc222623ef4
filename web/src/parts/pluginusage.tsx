import { num, quantity, t } from "../i18n";
import { Empty, Loaded, Panel } from "./bits";
import { useGet } from "./link";
import { Low } from "./table";
import { useMeterName, usePluginName } from "./whose";

// PluginUsage is each plugin's part of what an organization uses this month, in
// credits and by meter: a line for each meter, the credits on a plugin's first.
export function PluginUsage({ id }: { id: number }) {
  const query = useGet("/api/tenants/organizations/{org_id}/usage/plugins", { org_id: id });
  const name = usePluginName();
  const meter = useMeterName();
  return (
    <Panel title={t("Used by plugin")}>
      <Loaded query={query}>{(u) => (u.data ?? []).length === 0 ? <Empty>{t("No plugin has reported anything yet.")}</Empty>
        : <Low name={t("Used by plugin")} heads={["Plugin", ["Credits"], "Meter", ["Used"], ["Events"]]} rows={(u.data ?? []).flatMap((p) =>
          p.meters.length === 0 ? [[name(p.plugin), num(p.credits), "", "", ""]]
            : p.meters.map((m, i) => [i === 0 ? name(p.plugin) : "", i === 0 ? num(p.credits) : "", meter(m.meter), quantity(m.used, m.unit), num(m.events)]))} />}</Loaded>
    </Panel>
  );
}
