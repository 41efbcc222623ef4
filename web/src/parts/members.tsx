import { Button, Group, Stack } from "@mantine/core";
import { call, type Schemas } from "../api/client";
import { t, when } from "../i18n";
import { useRights } from "../me";
import { Panel, Status } from "./bits";
import { type Action, choices } from "./dialog";
import { type Column, List } from "./list";

type Member = Schemas["OrgMember"];
type Invitation = Schemas["OrgInvitation"];

const roles = ["member", "manager", "owner"];

// Members are the people of an organization. A manager changes no owner and
// makes none.
export function Members({ id, open }: { id: number; open: (a: Action) => void }) {
  const { me, superadmin, admins, roleIn } = useRights();
  const full = superadmin || admins.length > 0 || roleIn(id) === "owner";
  const given = full ? roles : roles.filter((r) => r !== "owner");
  const members: Column<Member>[] = [
    { head: "Name", cell: (m) => m.name || "–", csv: (m) => m.name }, { head: "E-mail", cell: (m) => m.email, csv: (m) => m.email },
    { head: "Role", cell: (m) => <Status value={m.role} />, csv: (m) => m.role }, { head: "Since", cell: (m) => when(m.created_at), csv: (m) => m.created_at },
    { head: "Actions", csv: false, cell: (m) => (full || m.role !== "owner") && <Group gap={6}>
      <Button size="compact-sm" variant="default" onClick={() => open(change(id, m, given))}>{t("Change role")}</Button>
      <Button size="compact-sm" variant="default" onClick={() => open(remove(id, m, m.user_id === me.user.id))}>{m.user_id === me.user.id ? t("Leave") : t("Remove")}</Button>
    </Group> },
  ];
  const invitations: Column<Invitation>[] = [
    { head: "E-mail", cell: (i) => i.email, csv: (i) => i.email }, { head: "Role", cell: (i) => <Status value={i.role} />, csv: (i) => i.role },
    { head: "Status", cell: (i) => <Status value={i.state} />, csv: (i) => i.state }, { head: "Ends", cell: (i) => when(i.expires_at), csv: (i) => i.expires_at },
    { head: "Actions", csv: false, cell: (i) => i.state === "open" && (full || i.role !== "owner") && <Button size="compact-sm" variant="default" onClick={() => open(revoke(id, i))}>{t("Revoke")}</Button> },
  ];
  return (
    <Stack gap="md">
      <Panel title={t("Members")} aside={<Button size="compact-sm" onClick={() => open(invite(id, given))}>{t("Invite")}</Button>}>
        <List path="/api/tenants/organizations/{org_id}/members" label={t("Members")} params={{ org_id: id }} columns={members} id={(m: Member) => m.user_id} filters={[{ name: "q", label: "Search for" }, { name: "role", label: "Role", options: roles }]} />
      </Panel>
      <Panel title={t("Invitations")}>
        <List path="/api/tenants/organizations/{org_id}/invitations" label={t("Invitations")} prefix="i_" params={{ org_id: id }} columns={invitations} id={(i: Invitation) => i.id} filters={[{ name: "q", label: "Search for" }, { name: "state", label: "Status", options: ["open", "accepted", "revoked", "expired"] }]} />
      </Panel>
    </Stack>
  );
}

function invite(id: number, given: string[]): Action {
  return {
    title: t("Invite somebody"), button: t("Invite"), done: t("Invited"),
    fields: [{ name: "email", label: "E-mail", type: "email", required: true }, { name: "role", label: "Role", type: "select", options: choices(given) }],
    make: (v) => call({ method: "post", path: "/api/tenants/organizations/{org_id}/invitations", params: { org_id: id }, body: { email: String(v.email), role: v.role as "member" } }),
    secret: (a) => (a as Schemas["OrgIssued"]).accept_url,
  };
}

function change(id: number, m: Member, given: string[]): Action {
  return {
    title: t("Role of {name}", { name: m.email }), button: t("Save"), done: t("Saved"), danger: true,
    fields: [{ name: "role", label: "Role", type: "select", options: choices(given) }], initial: { role: m.role },
    make: (v) => call({ method: "put", path: "/api/tenants/organizations/{org_id}/members/{user_id}", params: { org_id: id, user_id: m.user_id }, body: { role: v.role as "member" } }),
  };
}

function remove(id: number, m: Member, self: boolean): Action {
  return {
    title: t("Remove {name}", { name: m.email }), button: self ? t("Leave") : t("Remove"), danger: true, done: t("Removed"),
    make: () => call({ method: "delete", path: "/api/tenants/organizations/{org_id}/members/{user_id}", params: { org_id: id, user_id: m.user_id } }),
  };
}

function revoke(id: number, i: Invitation): Action {
  return {
    title: t("Revoke the invitation of {name}", { name: i.email }), button: t("Revoke"), danger: true, done: t("Revoked"),
    make: () => call({ method: "delete", path: "/api/tenants/organizations/{org_id}/invitations/{id}", params: { org_id: id, id: i.id } }),
  };
}
