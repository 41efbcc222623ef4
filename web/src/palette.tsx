import { Modal, Text, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useMemo, useState } from "react";
import { get } from "./api/client";
import { t } from "./i18n";
import { useRights } from "./me";
import { type Place, placesOf } from "./nav";

// Palette goes anywhere by typing: to the pages, and to what is found by name.
export function Palette({ open, close }: { open: boolean; close: () => void }) {
  return (
    <Modal opened={open} onClose={close} title={t("Go to…")} closeButtonProps={{ "aria-label": t("Close") }} size="lg" yOffset="12vh" transitionProps={{ duration: 0 }}>
      {open && <Finder close={close} />}
    </Modal>
  );
}

function Finder({ close }: { close: () => void }) {
  const rights = useRights();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const found = useFound(text.trim());
  const pages = useMemo(() => placesOf(rights), [rights]);
  const all = [...pages.filter((p) => p.label.toLowerCase().includes(text.trim().toLowerCase())), ...found];
  const chosen = Math.min(at, all.length - 1);
  useEffect(() => void document.getElementById(`found-${chosen}`)?.scrollIntoView({ block: "nearest" }), [chosen]);
  const go = (p: Place | undefined) => {
    if (!p) return;
    close();
    void navigate({ to: p.to as never, search: (p.search ?? {}) as never });
  };
  const key = (e: KeyboardEvent) => {
    if (e.key === "ArrowDown") setAt(Math.min(chosen + 1, all.length - 1));
    else if (e.key === "ArrowUp") setAt(Math.max(chosen - 1, 0));
    else if (e.key === "Enter") go(all[chosen]);
    else return;
    e.preventDefault();
  };
  return (
    <>
      <TextInput data-autofocus role="combobox" aria-expanded aria-controls="found" aria-activedescendant={`found-${chosen}`} aria-label={t("Go to…")} placeholder={t("Page, organization, admin or request")} value={text} onChange={(e) => { setText(e.currentTarget.value); setAt(0); }} onKeyDown={key} pt={5} mb="xs" />
      <div id="found" role="listbox" aria-label={t("Found")} className="palette">
        {all.map((p, i) => <div key={p.to + p.label} id={`found-${i}`} role="option" tabIndex={-1} aria-selected={i === chosen} onClick={() => go(p)} onKeyDown={() => undefined}>{p.label}</div>)}
      </div>
      {all.length === 0 && <Text c="dimmed" p="sm" role="status">{t("There is nothing here.")}</Text>}
    </>
  );
}

// useFound asks the server for names, shortly after the last key.
function useFound(q: string): Place[] {
  const { superadmin, admins } = useRights();
  const [found, setFound] = useState<Place[]>([]);
  useEffect(() => {
    let off = false;
    setFound([]);
    if (q.length < 2 || (!superadmin && admins.length === 0)) return;
    const wait = setTimeout(async () => {
      const organizations = get("/api/tenants/organizations", {}, { q, limit: 5 }).then((l) => (l.data ?? []).map((o) => ({ label: `${o.name} · ${o.slug}`, to: `/organizations/${o.id}` })));
      const resellers = superadmin ? get("/api/tenants/admins", {}, { q, limit: 5 }).then((l) => (l.data ?? []).map((a) => ({ label: `${t("Admin")}: ${a.name}`, to: `/admins/${a.id}` }))) : Promise.resolve([]);
      const requests = superadmin ? get("/api/tenants/requests", {}, { q, limit: 5 }).then((l) => (l.data ?? []).map((r) => ({ label: `${t("Registration")}: ${r.company_name} · ${r.email}`, to: `/requests/${r.id}` }))) : Promise.resolve([]);
      const all = (await Promise.allSettled([organizations, resellers, requests])).flatMap((r) => (r.status === "fulfilled" ? r.value : []));
      if (!off) setFound(all);
    }, 200);
    return () => {
      off = true;
      clearTimeout(wait);
    };
  }, [q, superadmin, admins]);
  return found;
}
