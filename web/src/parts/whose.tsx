import { named, said, t } from "../i18n";
import { useRights } from "../me";
import { Go, useGet } from "./link";

// AdminName is an admin by its name, for who sees it a link to it. A superadmin
// gets the names of the newest in one request that all of a page share; one that
// is not among them shows its number. To the organizations of a reseller, whose
// name is not theirs to know, it is whom they have the service from.
export function AdminName({ id }: { id: number }) {
  const { superadmin, admins } = useRights();
  const own = !superadmin && admins.includes(id);
  const all = useGet("/api/tenants/admins", {}, { limit: 200 }, superadmin);
  const one = useGet("/api/tenants/admins/{id}", { id }, {}, own);
  if (!superadmin && !own) return <>{t("Your provider")}</>;
  const name = own ? one.data?.name : all.data?.data?.find((a) => a.id === id)?.name;
  return <Go to={`/admins/${id}`}>{name ?? `#${id}`}</Go>;
}

// GroupName is AdminName for a partner group, which only the platform sees.
export function GroupName({ id }: { id: number }) {
  const { superadmin } = useRights();
  const groups = useGet("/api/tenants/partner-groups", {}, { limit: 200 }, superadmin);
  if (!superadmin) return <>–</>;
  return <Go to="/groups">{groups.data?.data?.find((g) => g.id === id)?.name ?? `#${id}`}</Go>;
}

// OrganizationName is an organization by its name, for who may read it.
export function OrganizationName({ id }: { id: number }) {
  const { superadmin, admins, me } = useRights();
  const reads = superadmin || admins.length > 0;
  const o = useGet("/api/tenants/organizations/{org_id}", { org_id: id }, {}, reads);
  const name = reads ? o.data?.name : me.organization?.id === id ? me.organization.name : undefined;
  return <Go to={`/organizations/${id}`}>{name ?? `#${id}`}</Go>;
}

// ActorName is who did something: by the name that the audit log knows, for who
// may read it, and by the kind of actor else.
export function ActorName({ of }: { of: { type: string; id: number | null } }) {
  const { superadmin, admins, home, roleIn } = useRights();
  const reads = superadmin || admins.length > 0 || (home !== null && roleIn(home) === "owner");
  const log = useGet("/api/tenants/audit-logs", {}, { actor_id: of.id ?? undefined, limit: 10 }, reads && of.id !== null);
  const actor = log.data?.data?.find((e) => e.actor.type === of.type)?.actor;
  return <>{actor?.name ?? actor?.email ?? named(of.type)}</>;
}

// usePluginName says plugins by the names of the catalogue, in one request that
// all of a page share.
export function usePluginName(): (key: string) => string {
  const all = useGet("/api/tenants/available-plugins", {}, { limit: 200 });
  return (key) => all.data?.data?.find((p) => p.key === key)?.name ?? key;
}

export function PluginNames({ keys }: { keys: string[] }) {
  return <>{keys.map(usePluginName()).join(", ")}</>;
}

// useMeterName is usePluginName for meters.
export function useMeterName(): (key: string) => string {
  const all = useGet("/api/tenants/meters", {}, { limit: 200 });
  return (key) => said(all.data?.data?.find((m) => m.key === key)?.name ?? key);
}
