import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { t } from "../i18n";

type Saved = { label: string; values: Record<string, string> };

const key = (name: string) => `tenantry.filters.${name}`;

function load(name: string): Saved[] {
  try {
    return JSON.parse(localStorage.getItem(key(name)) ?? "[]") as Saved[];
  } catch {
    return [];
  }
}

// SavedFilters keeps what one filters by often, in this browser.
export function SavedFilters({ name, values, shown, set }: { name: string; shown: (name: string, value: string) => string; values: Record<string, string>; set: (v: Record<string, string>) => void }) {
  const [saved, setSaved] = useState(() => load(name));
  const said = (of: Record<string, string>) => Object.entries(of).flatMap(([k, v]) => (v ? [shown(k, v)] : [])).join(" · ");
  const label = Object.values(values).filter(Boolean).join(" · ");
  const store = (s: Saved[]) => {
    localStorage.setItem(key(name), JSON.stringify(s));
    setSaved(s);
  };
  const is = saved.find((s) => s.label === label);
  return (
    <Group gap={6}>
      {saved.map((s) => <Button key={s.label} size="compact-sm" variant="default" aria-pressed={s.label === label} onClick={() => set(s.values)}>{said(s.values)}</Button>)}
      {label && (is
        ? <Button size="compact-sm" variant="default" onClick={() => store(saved.filter((s) => s !== is))}>{t("Forget filter")}</Button>
        : <Button size="compact-sm" variant="default" onClick={() => store([...saved, { label, values }])}>{t("Save filter")}</Button>)}
    </Group>
  );
}
