import { Tabs } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useAddress } from "./address";

export type Tab = { value: string; label: string; content: () => ReactNode };

// Tabbed shows one of several tabs; the address keeps which.
export function Tabbed({ tabs, label }: { tabs: (Tab | false)[]; label: string }) {
  const [search, set] = useAddress();
  const all = tabs.filter((x): x is Tab => x !== false);
  const value = all.find((x) => x.value === search.tab)?.value ?? all[0]?.value ?? "";
  const clear = Object.fromEntries(Object.keys(search).map((k) => [k, ""]));
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => { // on a phone not all fit
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [value]);
  return (
    <Tabs value={value} onChange={(v) => set({ ...clear, tab: v ?? "" }, true)} color="var(--line-brand)" keepMounted={false}>
      <Tabs.List ref={list} aria-label={label} mb="md" style={{ overflowX: "auto", flexWrap: "nowrap" }}>
        {all.map((x) => <Tabs.Tab px={11} key={x.value} value={x.value}>{x.label}</Tabs.Tab>)}
      </Tabs.List>
      {all.map((x) => <Tabs.Panel key={x.value} value={x.value}>{x.value === value && x.content()}</Tabs.Panel>)}
    </Tabs>
  );
}
