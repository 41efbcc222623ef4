import { useRights } from "../me";
import { Go, useGet } from "./link";

// AdminName is an admin by its name, for who sees admins a link to it. The names
// of the newest come in one request that all of a page share; one that is not
// among them shows its number.
export function AdminName({ id }: { id: number }) {
  const { superadmin } = useRights();
  const admins = useGet("/api/tenants/admins", {}, { limit: 200 }, superadmin);
  if (!superadmin) return `#${id}`;
  return <Go to={`/admins/${id}`}>{admins.data?.data?.find((a) => a.id === id)?.name ?? `#${id}`}</Go>;
}

// GroupName is AdminName for a partner group.
export function GroupName({ id }: { id: number }) {
  const { superadmin } = useRights();
  const groups = useGet("/api/tenants/partner-groups", {}, { limit: 200 }, superadmin);
  if (!superadmin) return `#${id}`;
  return <Go to="/groups">{groups.data?.data?.find((g) => g.id === id)?.name ?? `#${id}`}</Go>;
}

// OrganizationName is an organization by its name, for who may read it.
export function OrganizationName({ id }: { id: number }) {
  const { superadmin, admins } = useRights();
  const o = useGet("/api/tenants/organizations/{org_id}", { org_id: id }, {}, superadmin || admins.length > 0);
  return <Go to={`/organizations/${id}`}>{o.data?.name ?? `#${id}`}</Go>;
}
