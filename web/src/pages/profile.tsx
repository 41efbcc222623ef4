import { Button, Group, Stack } from "@mantine/core";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { named, t, when } from "../i18n";
import { Facts, Loaded, Page, Panel, Status } from "../parts/bits";
import { type Action, asText, Dialog } from "../parts/dialog";
import { useGet } from "../parts/link";
import { type Column, List } from "../parts/list";
import { AdminName, OrganizationName } from "../parts/whose";

type Session = Schemas["AuthSession"];

export default function Profile() {
  const [action, setAction] = useState<Action | null>(null);
  const me = useGet("/api/auth/me");
  const columns: Column<Session>[] = [
    { head: "Program", cell: (s) => <span title={s.user_agent}>{program(s.user_agent)}</span>, csv: (s) => s.user_agent }, { head: "Address", cell: (s) => s.ip, csv: (s) => s.ip }, { head: "Last used", cell: (s) => when(s.last_used_at), csv: (s) => s.last_used_at },
    { head: "Actions", csv: false, cell: (s) => (s.current ? t("this one") : <Button size="compact-sm" variant="default" onClick={() => setAction(endSession(s))}>{t("End")}</Button>) },
  ];
  return (
    <Page title={t("Profile")}>
      <Loaded query={me}>{(m) => (
        <Panel title={t("Profile")} aside={<Group gap="xs">
          <Button size="compact-sm" variant="default" onClick={() => setAction(edit(m.user))}>{t("Edit")}</Button>
          <Button size="compact-sm" variant="default" onClick={() => setAction(password)}>{t("Change the password")}</Button>
          {!m.user.email_verified && <Button size="compact-sm" variant="default" onClick={() => setAction(confirm)}>{t("Confirm the e-mail")}</Button>}
        </Group>}>
          <Facts of={[
            ["Name", m.user.name], ["E-mail", m.user.email], ["Phone", m.user.phone], ["E-mail confirmed", m.user.email_verified ? t("yes") : t("no")],
            ["Roles", <Stack key="r" gap={2}>{(m.roles ?? []).map((r) => <span key={JSON.stringify(r)}>{named(r.role)}{r.admin_id && <> · <AdminName id={r.admin_id} /></>}{r.organization_id && <> · <OrganizationName id={r.organization_id} /></>}{r.suspended && <> <Status value="suspended" /></>}</span>)}</Stack>],
          ]} />
        </Panel>
      )}</Loaded>
      <Panel title={t("Sessions")}><List path="/api/auth/sessions" label={t("Sessions")} columns={columns} id={(s: Session) => s.id} /></Panel>
      <Dialog action={action} close={() => setAction(null)} />
    </Page>
  );
}

// program says a browser and its system as people call them; what is none of
// the known ones stands as it named itself.
function program(agent: string): string {
  const first = (of: [RegExp, string][]) => of.find(([r]) => r.test(agent))?.[1];
  const browser = first([[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrome\//, "Chrome"], [/Safari\//, "Safari"]]);
  const system = first([[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]]);
  return [browser ?? agent.slice(0, 40), browser && system].filter(Boolean).join(" · ") || "–";
}

const password: Action = {
  get title() { return t("Change the password"); }, get button() { return t("Change"); }, get done() { return t("Changed. All other sessions have ended."); },
  fields: [{ name: "old_password", label: "Password now", type: "password", required: true }, { name: "new_password", label: "New password", type: "password", required: true }],
  make: (v) => call({ method: "post", path: "/api/auth/password/change", body: { old_password: String(v.old_password), new_password: String(v.new_password) } }),
};

const confirm: Action = {
  get title() { return t("Confirm the e-mail"); }, get intro() { return t("We mail you a link."); }, get button() { return t("Send"); }, get done() { return t("A link is on its way."); },
  make: () => call({ method: "post", path: "/api/auth/email/send" }),
};

function edit(u: Schemas["AuthUser"]): Action {
  return {
    title: t("Profile"), button: t("Save"), done: t("Saved"), fields: [{ name: "name", label: "Name", required: true }, { name: "phone", label: "Phone" }], initial: { name: u.name, phone: u.phone ?? "" },
    make: (v) => call({ method: "put", path: "/api/auth/me", body: { name: String(v.name), phone: asText(v.phone) } }),
  };
}

function endSession(s: Session): Action {
  return { title: t("End the session"), button: t("End"), intro: `${program(s.user_agent)} · ${s.ip}`, done: t("Ended"), make: () => call({ method: "delete", path: "/api/auth/sessions/{id}", params: { id: s.id } }) };
}
