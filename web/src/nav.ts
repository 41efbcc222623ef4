import { t, type Word } from "./i18n";
import type { Rights } from "./me";

export type Place = { label: string; to: string; search?: Record<string, string> };

const at = (label: Word, to: string, tab?: string): Place => ({ label: t(label), to, search: tab ? { tab } : undefined });

// besides are the places of what somebody is beside the first of it: an
// organization that whoever works for the platform or a reseller belongs to, and
// further resellers.
function besides(r: Rights): Place[] {
  const home = r.home ? [{ label: r.me.organization?.id === r.home ? r.me.organization.name : `${t("Organization")} #${r.home}`, to: `/organizations/${r.home}` }] : [];
  const more = r.superadmin ? r.admins : r.admins.slice(1);
  return [...home, ...more.map((id) => ({ label: `${t("Admin")} #${id}`, to: `/admins/${id}` }))];
}

// placesOf are the pages that somebody has, in the order of the menu.
export function placesOf(r: Rights): Place[] {
  const own = r.me.acting ? [] : [at("Notifications", "/notifications"), at("Profile", "/profile")]; // they are the member's
  if (r.superadmin) {
    return [at("Dashboard", "/"), at("Registrations", "/requests"), at("Organizations", "/organizations"), at("Admins", "/admins"), at("Partner groups", "/groups"),
      at("Plugins", "/plugins"), at("Meters", "/meters"), at("Audit log", "/audit"), at("Service keys", "/keys"), at("Permissions", "/access"), at("Settings", "/settings"), at("System", "/system"), ...besides(r), ...own];
  }
  const admin = r.admins[0];
  if (admin) {
    const base = `/admins/${admin}`;
    return [at("Dashboard", "/"), at("Organizations", "/organizations"), at("Credits", base, "credits"), at("Branding", base, "branding"), at("Team", base, "people"),
      at("Account", base), at("Plugins", "/plugins"), at("Audit log", "/audit"), ...besides(r), ...own];
  }
  if (r.home) {
    const base = `/organizations/${r.home}`;
    if (r.suspended) return [at("Home", "/"), at("Usage", base, "usage"), ...own]; // what stays open
    const role = r.roleIn(r.home);
    const more = role === "member" ? [] : [at("Credits", base, "credits"), at("Members", base, "members")];
    const owner = role === "owner" ? [at("API keys", base, "keys"), at("Audit log", "/audit")] : [];
    return [at("Home", "/"), at("Usage", base, "usage"), at("Plugins", base, "plugins"), ...more, ...owner, ...own];
  }
  return [at("Home", "/"), ...own];
}
