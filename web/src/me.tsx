import { createContext, useContext } from "react";
import type { Schemas } from "./api/client";

export type Me = Schemas["AuthMe"];

// Rights is who somebody is, as pages ask for it. It hides what would be
// refused; the server decides.
export type Rights = {
  me: Me;
  superadmin: boolean;
  admins: number[]; // staff of these
  roleIn: (organization: number) => "owner" | "manager" | "member" | null;
  home: number | null; // the active organization of a member
  suspended: boolean; // that one is
};

export function rightsOf(me: Me): Rights {
  const roles = me.roles ?? [];
  const superadmin = roles.some((r) => r.role === "superadmin");
  const admins = roles.flatMap((r) => (r.role === "admin" && r.admin_id ? [r.admin_id] : []));
  const roleIn = (o: number) => (roles.find((r) => r.organization_id === o)?.role ?? null) as ReturnType<Rights["roleIn"]>;
  const first = roles.find((r) => r.organization_id)?.organization_id ?? null;
  const active = me.organization?.id ?? null;
  const home = active !== null && roleIn(active) ? active : first;
  return { me, superadmin, admins, roleIn, home, suspended: Boolean(me.organization?.suspended) };
}

const Context = createContext<Rights | null>(null);
export const RightsProvider = Context.Provider;

export function useRights(): Rights {
  const r = useContext(Context);
  if (!r) throw new Error("outside of the signed-in application");
  return r;
}

// standing is what somebody is to one organization.
export function standing(r: Rights, o: number, admin?: number | null): "superadmin" | "admin" | "owner" | "manager" | "member" {
  if (r.superadmin) return "superadmin";
  if (admin !== undefined && admin !== null && r.admins.includes(admin)) return "admin";
  return r.roleIn(o) ?? "member";
}
