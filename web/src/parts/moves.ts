import { call, get, type Schemas } from "../api/client";
import { num, t } from "../i18n";
import type { Action } from "./dialog";

// What moves credits besides granting and handing them on.

// after says a balance before and after, as far as an amount was entered.
export const after = (label: string, before: number, change: number) => `${label}: ${num(before)} → ${num(before + change)}`;

// balanceOf and poolOf are what an organization and an admin have now.
export const balanceOf = async (organization: number) => (await get("/api/tenants/organizations/{org_id}/detail", { org_id: organization })).credit_balance;
export const poolOf = async (admin: number) => (await get("/api/tenants/admins/{id}/credits", { id: admin })).balance;

// adjust gives an organization or an admin credits from outside, or writes them off.
export function adjust(whose: "organization" | "admin", id: number, name: string): Action {
  return {
    title: t("Adjust the credits of {name}", { name }), button: t("Adjust"), danger: true, done: t("Adjusted"), intro: t("It corrects the ledger by credits from outside, or writes off what is free."),
    fields: [
      { name: "direction", label: "Direction", type: "select", options: [{ value: "in", label: t("Give credits") }, { value: "out", label: t("Write credits off") }] },
      { name: "amount", label: "Amount", type: "number", least: 1, required: true }, { name: "reason", label: "Reason", required: true },
    ],
    outlook: async (v) => [after(t("Balance"), await (whose === "admin" ? poolOf(id) : balanceOf(id)), v.direction === "out" ? -Number(v.amount) : Number(v.amount))],
    make: (v) => {
      const body = { direction: v.direction as "in", amount: Number(v.amount), reason: String(v.reason) };
      return whose === "admin"
        ? call({ method: "post", path: "/api/tenants/admins/{id}/credits/adjust", params: { id }, body })
        : call({ method: "post", path: "/api/tenants/organizations/{org_id}/credits/adjust", params: { org_id: id }, body });
    },
  };
}

// takeBack returns credits of an organization to the pool that they came from.
export function takeBack(o: { id: number; name: string; admin_id: number | null }): Action {
  return {
    title: t("Take credits back from {name}", { name: o.name }), button: t("Take back"), danger: true, done: t("Taken back"), intro: t("What came from the pool and is neither spent nor held goes back to it."),
    fields: [{ name: "amount", label: "Amount", type: "number", least: 1, required: true }, { name: "reason", label: "Reason", required: true }],
    outlook: async (v) => [after(o.name, await balanceOf(o.id), -Number(v.amount)), ...(o.admin_id ? [after(t("Pool"), await poolOf(o.admin_id), Number(v.amount))] : [])],
    make: (v) => call({ method: "post", path: "/api/tenants/organizations/{org_id}/credits/deallocate", params: { org_id: o.id }, body: { amount: Number(v.amount), reason: String(v.reason) } }),
  };
}

// refund gives back what a transaction consumed.
export function refund(x: Schemas["CreditTransaction"]): Action {
  return {
    title: t("Refund transaction {n}", { n: `#${x.id}` }), button: t("Refund"), danger: true, done: t("Refunded"), intro: t("It goes back to where it was taken from. An empty amount is all that is left to refund."),
    fields: [{ name: "amount", label: "Amount", type: "number", least: 1 }, { name: "reason", label: "Reason" }],
    make: (v) => call({ method: "post", path: "/api/tenants/credits/transactions/{id}/refund", params: { id: x.id }, body: { ...(v.amount ? { amount: Number(v.amount) } : {}), ...(v.reason ? { reason: String(v.reason) } : {}) } }),
  };
}
