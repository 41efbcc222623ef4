import { call, type Schemas } from "../api/client";
import { num, t } from "../i18n";
import { type Action, asNumber, asText } from "../parts/dialog";
import { after, balanceOf, poolOf } from "../parts/moves";
import { findAdmin } from "../parts/pick";
import type { Organization } from "./organization";

const org = (o: Organization) => ({ org_id: o.id });
const guard = (o: Organization) => ({ path: "/api/tenants/organizations/{org_id}/detail" as const, params: org(o), seen: o });

export function addCredits(o: Organization, superadmin: boolean, pool?: Schemas["CreditPool"]): Action {
  const sources = [{ value: "platform", label: t("the platform") }, ...(o.admin_id ? [{ value: "admin", label: t("its admin's pool") }] : [])];
  return {
    title: t("Add credits to {name}", { name: o.name }), button: t("Add"), danger: true, done: t("Added"),
    intro: <>{t("Balance now: {n}", { n: o.credit_balance })}{pool && <> · {t("available in the pool: {n}", { n: pool.available })}</>}</>,
    fields: [
      { name: "amount", label: "Amount", type: "number", least: 1, required: true }, { name: "reason", label: "Reason" },
      ...(superadmin ? [{ name: "source", label: "From where" as const, type: "select" as const, options: sources }] : []),
    ],
    outlook: async (v) => [after(o.name, await balanceOf(o.id), Number(v.amount)), ...(o.admin_id && v.source !== "platform" ? [after(t("Pool"), await poolOf(o.admin_id), -Number(v.amount))] : [])],
    make: (v) => call({
      method: "post", path: "/api/tenants/organizations/{org_id}/credits/add", params: org(o),
      body: { amount: Number(v.amount), ...(v.reason ? { reason: String(v.reason) } : {}), ...(superadmin ? { source: v.source as "admin" } : {}) },
    }),
  };
}

export function editLimits(o: Organization): Action {
  return {
    title: t("Limits of {name}", { name: o.name }), button: t("Save"), danger: true, done: t("Saved"), intro: t("-1 is unlimited. Lowering below what is used deletes nothing; it only blocks growth."),
    fields: [
      { name: "credit_limit", label: "Credit limit", type: "number", least: 0, required: true }, { name: "storage_limit_gb", label: "Storage (GB)", type: "number", least: -1, required: true },
      { name: "max_users", label: "Users", type: "number", least: -1, required: true }, { name: "bandwidth_limit_gb", label: "Bandwidth (GB)", type: "number", least: -1, required: true },
    ],
    guard: guard(o),
    initial: { credit_limit: String(o.credit_limit), storage_limit_gb: String(o.storage_limit_gb), max_users: String(o.max_users), bandwidth_limit_gb: String(o.bandwidth_limit_gb) },
    make: (v) => call({
      method: "put", path: "/api/tenants/organizations/{org_id}/limits", params: org(o),
      body: { credit_limit: asNumber(v.credit_limit), storage_limit_gb: asNumber(v.storage_limit_gb), max_users: asNumber(v.max_users), bandwidth_limit_gb: asNumber(v.bandwidth_limit_gb) },
    }),
  };
}

export function editName(o: Organization): Action {
  return {
    title: t("Rename {name}", { name: o.name }), button: t("Save"), done: t("Saved"), guard: guard(o), fields: [{ name: "name", label: "Name", required: true }], initial: { name: o.name },
    make: (v) => call({ method: "put", path: "/api/tenants/organizations/{org_id}/edit", params: org(o), body: { name: String(v.name) } }),
  };
}

export function setDomain(o: Organization): Action {
  return {
    title: t("Domain of {name}", { name: o.name }), button: t("Save"), danger: true, done: t("Saved"), intro: t("A change has to be verified again."),
    guard: guard(o),
    fields: [{ name: "custom_domain", label: "Domain" }], initial: { custom_domain: o.custom_domain ?? "" },
    make: (v) => call({ method: "put", path: "/api/tenants/organizations/{org_id}/edit", params: org(o), body: { custom_domain: asText(v.custom_domain) } }),
  };
}

export function suspend(o: Organization): Action {
  return {
    title: t("Suspend {name}", { name: o.name }), button: t("Suspend"), danger: true, done: t("Suspended"), intro: t("It takes effect on the next request of everybody in it."),
    fields: [{ name: "reason", label: "Reason", required: true }],
    make: (v) => call({ method: "put", path: "/api/tenants/organizations/{org_id}/status", params: org(o), body: { status: "suspended", reason: String(v.reason) } }),
  };
}

export function reactivate(o: Organization, superadmin: boolean): Action {
  return {
    title: t("Reactivate {name}", { name: o.name }), button: t("Reactivate"), danger: true, intro: t("It lifts your own holds; others stay."),
    done: (a) => ((a as Organization).effective_status === "active" ? t("Active again") : t("Your holds are lifted; others still hold it.")),
    fields: superadmin && o.holds?.some((h) => h.source === "admin") ? [{ name: "admin", label: "Lift the admin's hold too", type: "switch" }] : [],
    make: (v) => call({ method: "put", path: "/api/tenants/organizations/{org_id}/status", params: org(o), body: { status: "active", ...(v.admin === true ? { sources: ["admin" as const] } : {}) } }),
  };
}

export function archive(o: Organization): Action {
  return {
    title: t("Archive {name}", { name: o.name }), button: t("Archive"), danger: true, typed: o.slug, done: t("Archived"), intro: t("Only a superadmin can undo it."),
    fields: [{ name: "reason", label: "Reason", required: true }],
    make: (v) => call({ method: "put", path: "/api/tenants/organizations/{org_id}/status", params: org(o), body: { status: "archived", reason: String(v.reason) } }),
  };
}

export function transfer(o: Organization): Action {
  return {
    title: t("Transfer {name}", { name: o.name }), button: t("Transfer"), danger: true, typed: o.slug, done: t("Transferred"), intro: t("Its {n} credits go along. No admin is the platform.", { n: num(o.credit_balance) }),
    guard: guard(o),
    fields: [{ name: "admin_id", label: "Admin", type: "pick", find: findAdmin }], initial: { admin_id: o.admin_id ? String(o.admin_id) : "" },
    make: (v) => call({ method: "put", path: "/api/tenants/organizations/{org_id}/edit", params: org(o), body: { admin_id: asNumber(v.admin_id) } }),
  };
}
