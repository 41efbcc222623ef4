import { call, type Schemas, type Values } from "../api/client";
import { num, t } from "../i18n";
import type { Action } from "./dialog";

// What moves credits besides granting and handing them on.

// after says a balance before and after, as far as an amount was entered.
export const after = (label: string, before: number, change: number) => `${label}: ${num(before)} → ${num(before + change)}`;

type Adjusted = "/api/tenants/organizations/{org_id}/credits/adjust" | "/api/tenants/admins/{id}/credits/adjust";

// adjust gives credits from outside, or writes them off.
export function adjust(name: string, path: Adjusted, params: Values, balance: number): Action {
  return {
    title: t("Adjust the credits of {name}", { name }), button: t("Adjust"), danger: true, done: t("Adjusted"), intro: t("It corrects the ledger by credits from outside, or writes off what is free."),
    fields: [
      { name: "direction", label: "Direction", type: "select", options: [{ value: "in", label: t("Give credits") }, { value: "out", label: t("Write credits off") }] },
      { name: "amount", label: "Amount", type: "number", least: 1, required: true }, { name: "reason", label: "Reason", required: true },
    ],
    outlook: (v) => [after(t("Balance"), balance, v.direction === "out" ? -Number(v.amount) : Number(v.amount))],
    make: (v) => call({ method: "post", path, params, body: { direction: v.direction as "in", amount: Number(v.amount), reason: String(v.reason) } }),
  };
}

// takeBack returns credits of an organization to the pool that they came from.
export function takeBack(o: { id: number; name: string; credit_balance: number }, pool?: Schemas["CreditPool"]): Action {
  return {
    title: t("Take credits back from {name}", { name: o.name }), button: t("Take back"), danger: true, done: t("Taken back"), intro: t("What came from the pool and is neither spent nor held goes back to it."),
    fields: [{ name: "amount", label: "Amount", type: "number", least: 1, required: true }, { name: "reason", label: "Reason", required: true }],
    outlook: (v) => [after(o.name, o.credit_balance, -Number(v.amount)), ...(pool ? [after(t("Pool"), pool.balance, Number(v.amount))] : [])],
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
