import { ActionIcon, AppShell, Burger, Button, Group, Indicator, NavLink, NativeSelect, ScrollArea, Text, useMantineColorScheme } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { call, get, send } from "./api/client";
import { beOneself, end } from "./api/session";
import { choose, language, num, t, when } from "./i18n";
import { useUnread } from "./live";
import { type Me, useRights } from "./me";
import { placesOf } from "./nav";
import { Palette } from "./palette";
import type { Search } from "./parts/address";
import { Routed } from "./parts/link";
import { tellFailure, Toasts } from "./parts/toast";
import { useBrand } from "./theme";

// Shell is what surrounds every page.
export function Shell() {
  const brand = useBrand();
  const [open, setOpen] = useState(false);
  const [palette, setPalette] = useState(false);
  const rights = useRights();
  const client = useQueryClient();
  const unread = useUnread(client);
  const place = useRouterState({ select: (s) => s.location });
  const shown = useRouterState({ select: (s) => s.resolvedLocation?.publicHref });
  useHeading(place.pathname, brand.app_name ?? "Tenantry");
  useEffect(() => setOpen(false), [place.href]);
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.key === "Escape") setOpen(false);
      if (e.key.toLowerCase() !== "k" || !(e.ctrlKey || e.metaKey)) return;
      e.preventDefault();
      if (!document.querySelector("[role=dialog]")) setPalette(true);
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  const tab = (place.search as Search).tab;
  const items = placesOf(rights);
  const here = (to: string, wanted?: string) => place.pathname.replace(/(.)\/$/, "$1") === to && (wanted ? tab === wanted : !tab || !items.some((i) => i.to === to && i.search?.tab === tab));
  return (
    <AppShell header={{ height: 58 }} navbar={{ width: 230, breakpoint: "sm", collapsed: { mobile: !open } }} padding="md" transitionDuration={0}>
      <a className="skip" href="#main">{t("Skip to content")}</a>
      <AppShell.Header className="header">
        <Group h="100%" px="md" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="sm" wrap="nowrap" style={{ minWidth: 0 }}>
            <Burger opened={open} onClick={() => setOpen(!open)} hiddenFrom="sm" size="sm" aria-label={t("Menu")} aria-expanded={open} />
            {brand.logo_url && <img className="logo" src={brand.logo_url} alt="" referrerPolicy="no-referrer" />}
            <Text fw={650} truncate>{brand.app_name ?? "Tenantry"}</Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Button variant="default" size="compact-md" onClick={() => setPalette(true)} visibleFrom="sm" aria-keyshortcuts="Control+K">{t("Go to…")} <Text component="kbd" size="xs" ml={8} c="dimmed">Ctrl K</Text></Button>
            <ActionIcon variant="default" size="lg" hiddenFrom="sm" onClick={() => setPalette(true)} aria-label={t("Go to…")}>⌕</ActionIcon>
            {!rights.me.acting && <Bell unread={unread} />}
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" className="nav" data-closed={!open || undefined} aria-label={t("Pages")}>
        <ScrollArea style={{ flex: 1 }}>
          {items.map((p) => <NavLink key={p.to + p.label} label={p.label} active={here(p.to, p.search?.tab)} component={Routed} {...{ to: p.to, search: p.search ?? {}, activeOptions: { exact: !p.search && items.some((i) => i !== p && i.to === p.to) } } as object} />)}
        </ScrollArea>
        <Foot />
      </AppShell.Navbar>
      <AppShell.Main id="main" data-at={shown} tabIndex={-1} style={{ maxWidth: 1280 }}>
        {rights.me.acting && <Acting of={rights.me.acting} />}
        {rights.suspended && <Notice email={brand.support_email} />}
        <Outlet />
        {brand.footer_text && <Text size="sm" c="dimmed" mt="xl">{brand.footer_text}</Text>}
      </AppShell.Main>
      <Palette open={palette} close={() => setPalette(false)} />
      <Toasts />
    </AppShell>
  );
}

// useHeading names the tab after the page and moves the focus there, so that a
// screen reader hears that the page is another.
function useHeading(path: string, app: string) {
  const first = useRef(true);
  useEffect(() => {
    const stop = new MutationObserver(() => {
      const h = document.querySelector("main h1");
      if (h?.textContent) document.title = `${h.textContent} · ${app}`;
    });
    stop.observe(document.body, { childList: true, subtree: true });
    if (!first.current) document.getElementById("main")?.focus();
    first.current = false;
    return () => stop.disconnect();
  }, [path, app]);
}

function Bell({ unread }: { unread: number | null }) {
  const label = unread ? t("Notifications, {n} unread", { n: unread }) : t("Notifications");
  return (
    <Indicator label={num(unread ?? 0)} size={18} offset={4} disabled={!unread} color="var(--bell)" styles={{ indicator: { background: "var(--mantine-color-text)", color: "var(--mantine-color-body)" } }}>
      <ActionIcon variant="default" size="lg" component={Routed} {...{ to: "/notifications" } as object} aria-label={label}>
        <svg width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden><path d="M18 8a6 6 0 1 0-12 0c0 7-3 8-3 8h18s-3-1-3-8M10 21h4" /></svg>
      </ActionIcon>
    </Indicator>
  );
}

// Notice tells the members of a suspended organization what is the matter.
function Notice({ email }: { email: string | null }) {
  return (
    <div className="effects" role="alert" style={{ marginBottom: "1rem" }}>
      <Text fw={600}>{t("Your organization is suspended.")}</Text>
      <Text size="sm">{t("Your profile, notifications and usage stay open.")} {email && <a href={`mailto:${email}`}>{email}</a>}</Text>
    </div>
  );
}

// logOut ends what the token is of: the session, or the leave to act.
const logOut = () => send(call({ method: "post", path: "/api/auth/logout" })).catch(() => undefined);

// Acting says on every page in whose name it is, so that nobody forgets.
function Acting({ of }: { of: NonNullable<Me["acting"]> }) {
  const { me } = useRights();
  const stop = async () => {
    await logOut();
    beOneself();
  };
  return (
    <Group className="effects" role="status" justify="space-between" mb="md" gap="xs">
      <div>
        <Text fw={600}>{t("You act for {name} until {time}.", { name: me.user.name || me.user.email, time: when(of.expires_at) })}</Text>
        <Text size="sm">{of.reason}</Text>
      </div>
      <Button size="compact-sm" variant="default" onClick={() => void stop()}>{t("Stop acting")}</Button>
    </Group>
  );
}

function Foot() {
  const { me } = useRights();
  const scheme = useMantineColorScheme();
  const out = async () => {
    await logOut();
    await end();
  };
  return (
    <div style={{ display: "grid", gap: 8, paddingTop: 8 }}>
      <Organizations />
      <Group gap="xs" grow>
        <NativeSelect size="xs" aria-label={t("Appearance")} value={scheme.colorScheme} onChange={(e) => scheme.setColorScheme(e.currentTarget.value as "light")} data={[{ value: "auto", label: t("System") }, { value: "light", label: t("Light") }, { value: "dark", label: t("Dark") }]} />
        <NativeSelect size="xs" aria-label={t("Language")} value={language()} onChange={(e) => choose(e.currentTarget.value as "en")} data={[{ value: "en", label: "English" }, { value: "de", label: "Deutsch" }]} />
      </Group>
      <Text size="sm" truncate>{me.user.email}</Text>
      {!me.acting && <Button variant="default" size="xs" onClick={() => void out()}>{t("Sign out")}</Button>}
    </div>
  );
}

// Organizations switches between those that one is a member of.
function Organizations() {
  const { me, home } = useRights();
  const mine = (me.roles ?? []).flatMap((r) => (r.organization_id ? [r.organization_id] : []));
  const [names, setNames] = useState<Record<number, string>>({});
  const ids = mine.join();
  useEffect(() => {
    if (!ids.includes(",")) return;
    for (const id of ids.split(",").map(Number)) {
      get("/api/tenants/organizations/{org_id}", { org_id: id }).then((o) => setNames((n) => ({ ...n, [id]: o.name })), () => undefined);
    }
  }, [ids]);
  if (mine.length < 2) return null;
  const change = async (id: number) => {
    try {
      await send(call({ method: "post", path: "/api/auth/switch", body: { organization_id: id } }));
      location.assign("/app");
    } catch (e) {
      tellFailure(e);
    }
  };
  return <NativeSelect size="xs" label={t("Organization")} value={String(home ?? "")} data={mine.map((id) => ({ value: String(id), label: names[id] ?? `#${id}` }))} onChange={(e) => void change(Number(e.currentTarget.value))} />;
}
