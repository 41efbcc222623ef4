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
export function SavedFilters({ name, values, set }: { name: string; values: Record<string, string>; set: (v: Record<string, string>) => void }) {
  const [saved, setSaved] = useState(() => load(name));
  const used = Object.values(values).filter(Boolean);
  const label = used.join(" · ");
  const store = (s: Saved[]) => {
    localStorage.setItem(key(name), JSON.stringify(s));
    setSaved(s);
  };
  const is = saved.find((s) => s.label === label);
  return (
    <Group gap={6}>
      {saved.map((s) => <Button key={s.label} size="compact-sm" variant="default" aria-pressed={s.label === label} onClick={() => set(s.values)}>{s.label}</Button>)}
      {used.length > 0 && (is
        ? <Button size="compact-sm" variant="default" onClick={() => store(saved.filter((s) => s !== is))}>{t("Forget filter")}</Button>
        : <Button size="compact-sm" variant="default" onClick={() => store([...saved, { label, values }])}>{t("Save filter")}</Button>)}
    </Group>
  );
}
