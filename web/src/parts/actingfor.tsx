import { Button, Stack, Text } from "@mantine/core";
import { call, type Schemas } from "../api/client";
import { act } from "../api/session";
import { named, t, when } from "../i18n";
import { Panel, Status } from "./bits";
import type { Action } from "./dialog";
import { type Column, List } from "./list";
import { findMember } from "./pick";

type Grant = Schemas["AuthAccess"];

const path = "/api/tenants/organizations/{org_id}/access";
const stateOf = (g: Grant) => (g.active ? "active" : g.ended_because ? "ended" : "expired");

// ActingFor is who of the platform or the reseller acted inside an organization,
// why and how long. Its owners see it, and may end it.
export function ActingFor({ id, grant, open }: { id: number; grant: boolean; open: (a: Action) => void }) {
  const columns: Column<Grant>[] = [
    { head: "Who", cell: (g) => g.operator.name || g.operator.email, csv: (g) => g.operator.email }, { head: "For whom", cell: (g) => g.member.name || g.member.email, csv: (g) => g.member.email },
    { head: "Reason", cell: (g) => g.reason, csv: (g) => g.reason }, { head: "Since", cell: (g) => when(g.created_at), csv: (g) => g.created_at }, { head: "Ends", cell: (g) => when(g.ended_at ?? g.expires_at), csv: (g) => g.ended_at ?? g.expires_at },
    { head: "Status", cell: (g) => <><Status value={stateOf(g)} />{g.ended_because && g.ended_because !== "ended" && <Text size="sm" c="dimmed">{named(g.ended_because)}</Text>}</>, csv: stateOf },
    { head: "Actions", csv: false, cell: (g) => g.active && <Button size="compact-sm" variant="default" onClick={() => open(end(id, g))}>{t("End")}</Button> },
  ];
  return (
    <Panel title={t("Acting for members")} aside={grant && <Button size="compact-sm" onClick={() => open(begin(id))}>{t("Act for a member")}</Button>}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">{t("Who looks after this organization can act as one of its members for a while, with a reason. Its owners are told, and each change names both.")}</Text>
        <List path={path} label={t("Acting for members")} prefix="g_" params={{ org_id: id }} columns={columns} id={(g: Grant) => g.id} empty={t("Nobody has acted for a member.")} />
      </Stack>
    </Panel>
  );
}

const issued = (answer: unknown) => answer as Schemas["AuthIssuedAccess"];

function begin(id: number): Action {
  return {
    title: t("Act for a member"), button: t("Begin"), done: t("Begun. The owners are told."), intro: t("You get the rights of that member: for the console, and as a token for calls to the API. They end by themselves."),
    fields: [
      { name: "user_id", label: "Member", type: "pick", find: findMember(id), hint: t("None chosen: its owner.") }, { name: "reason", label: "Reason", required: true, hint: t("The organization's owners read it.") },
      { name: "minutes", label: "Minutes", type: "number", least: 1, required: true },
    ],
    initial: { minutes: "30" },
    make: (v) => call({ method: "post", path, params: { org_id: id }, body: { reason: String(v.reason), minutes: Number(v.minutes), ...(v.user_id ? { user_id: Number(v.user_id) } : {}) } }),
    secret: (a) => issued(a).access_token,
    onward: { label: t("Open the console as this member"), go: (a) => act(issued(a).access_token, issued(a).expires_at, `/app/organizations/${id}?tab=access`) },
  };
}

function end(id: number, g: Grant): Action {
  return {
    title: t("End the acting of {name}", { name: g.operator.name || g.operator.email }), button: t("End"), danger: true, done: t("Ended"), intro: g.reason,
    make: () => call({ method: "delete", path: "/api/tenants/organizations/{org_id}/access/{grant_id}", params: { org_id: id, grant_id: g.id } }),
  };
}
