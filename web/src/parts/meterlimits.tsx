import { Button } from "@mantine/core";
import { call, type Schemas } from "../api/client";
import { named, quantity, said, t, when } from "../i18n";
import { Loaded, Panel, Status } from "./bits";
import { type Action, asNumber, choices } from "./dialog";
import { useGet } from "./link";
import { Low } from "./table";

type Limit = Schemas["UsageMeterLimit"];

// of the organization itself, which its own limits are set with
const builtIn = ["storage_bytes", "bandwidth_bytes", "seats"];

// MeterLimits is every meter with its limit, whose limit it is, and when it runs
// out at this pace.
export function MeterLimits({ id, edit }: { id: number; edit?: (a: Action) => void }) {
  const query = useGet("/api/tenants/organizations/{org_id}/usage/limits", { org_id: id });
  const forecast = useGet("/api/tenants/organizations/{org_id}/usage/forecast", { org_id: id });
  const ends = (meter: string) => forecast.data?.data?.find((x) => x.meter === meter)?.runs_out_at;
  return (
    <Panel title={t("Every meter")}>
      <Loaded query={query}>{(l) => <Low name={t("Every meter")} heads={["Meter", "Status", ["Used"], ["Limit"], "Set by", "Runs out", ...(edit ? ["Actions" as const] : [])]} rows={(l.data ?? []).map((m) => [
        said(m.name), <Status key="s" value={m.state} />, quantity(m.used, m.unit) + (m.reserved > 0 ? ` + ${quantity(m.reserved, m.unit)}` : ""), m.limit === null ? t("unlimited") : quantity(m.limit, m.unit),
        m.decided_by ? `${named(m.decided_by)} · ${named(m.mode)}` : "–", ends(m.meter) ? when(ends(m.meter)) : "–",
        ...(edit ? [builtIn.includes(m.meter) ? "" : <Button key="b" size="compact-sm" variant="default" aria-label={t("Limit of {name}", { name: said(m.name) })} onClick={() => edit(change(id, m))}>{t("Edit")}</Button>] : []),
      ])} />}</Loaded>
    </Panel>
  );
}

function change(id: number, m: Limit): Action {
  return {
    title: t("Limit of {name}", { name: said(m.name) }), button: t("Save"), danger: true, done: t("Saved"), intro: t("An empty limit is that of the meter. -1 is unlimited."),
    fields: [{ name: "limit", label: "Limit", type: "number", least: -1 }, { name: "mode", label: "Beyond it", type: "select", options: [{ value: "", label: t("as the meter") }, ...choices(["hard", "soft"])] }],
    initial: { limit: m.own_limit === null ? "" : String(m.own_limit), mode: m.own_mode ?? "" },
    make: (v) => call({ method: "put", path: "/api/tenants/organizations/{org_id}/usage/limits/{key}", params: { org_id: id, key: m.meter }, body: { limit: asNumber(v.limit), mode: v.mode ? (v.mode as "hard") : null } }),
  };
}
