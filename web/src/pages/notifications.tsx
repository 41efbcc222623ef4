import { Button, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { call, type Schemas, send } from "../api/client";
import { ago, said, t, when } from "../i18n";
import { type Rights, useRights } from "../me";
import { useAddress } from "../parts/address";
import { Page } from "../parts/bits";
import { Go } from "../parts/link";
import { type Column, List } from "../parts/list";
import { Once } from "../parts/once";
import { tellFailure } from "../parts/toast";

type Notification = Schemas["NotifyNotification"];

// pageOf is the page of what a notification is about, for whoever may see it.
function pageOf(target: Notification["target"], r: Rights): string | null {
  switch (target.type) {
    case "registration_request":
      return r.superadmin ? `/requests/${target.id}` : null;
    case "admin":
      return r.superadmin || r.admins.includes(target.id) ? `/admins/${target.id}` : null;
    case "organization":
      return `/organizations/${target.id}`;
    default:
      return null;
  }
}

function Title({ n }: { n: Notification }) {
  const to = pageOf(n.target, useRights());
  return to ? <Go to={to}>{said(n.title)}</Go> : <>{said(n.title)}</>;
}

export default function Notifications() {
  const client = useQueryClient();
  const [search, set] = useAddress();
  const unread = search.unread === "yes";
  const act = async (c: ReturnType<typeof call>) => {
    try {
      await send(c);
      await client.invalidateQueries({ queryKey: ["/api/tenants/notifications"] });
    } catch (e) {
      tellFailure(e);
    }
  };
  const columns: Column<Notification>[] = [
    { head: "What", cell: (n) => <Text fw={n.read ? 400 : 650} size="sm"><Title n={n} /><Text size="sm" c="dimmed" component="span" display="block">{said(n.body)}</Text></Text>, csv: (n) => `${n.title}: ${n.body}` },
    { head: "Time", cell: (n) => <span title={when(n.created_at)}>{ago(n.created_at)}</span>, csv: (n) => n.created_at },
    { head: "Read", csv: (n) => n.read, cell: (n) => (n.read ? t("yes") : <Once act={() => void act(call({ method: "post", path: "/api/tenants/notifications/{id}/read", params: { id: n.id } }))}>{t("Mark as read")}</Once>) },
  ];
  return (
    <Page title={t("Notifications")} aside={<>
      <Button variant="default" aria-pressed={unread} onClick={() => set({ unread: unread ? "" : "yes", page: "" })}>{unread ? t("Show all") : t("Only unread")}</Button>
      <Button variant="default" onClick={() => void act(call({ method: "post", path: "/api/tenants/notifications/read-all" }))}>{t("Mark all as read")}</Button>
    </>}>
      <List path="/api/tenants/notifications" label={t("Notifications")} columns={columns} id={(n: Notification) => n.id} fixed={unread ? { unread_only: true } : {}} empty={t("Nothing to read.")} />
    </Page>
  );
}
