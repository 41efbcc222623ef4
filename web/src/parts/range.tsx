import { NativeSelect } from "@mantine/core";
import type { ReactNode } from "react";
import { t } from "../i18n";
import { useAddress } from "./address";

// useRange is how many days a plot looks back, which the address keeps under a
// name, and what chooses it.
export function useRange(name = "days", choices = ["7", "30", "90", "365"]): [string, ReactNode] {
  const [search, set] = useAddress();
  const days = search[name] ?? "30";
  return [days, <NativeSelect key={name} size="xs" aria-label={t("Range")} value={days} onChange={(e) => set({ [name]: e.currentTarget.value })} data={choices.map((n) => ({ value: n, label: t("{n} days", { n: Number(n) }) }))} />];
}
