import { Group } from "@mantine/core";
import type { ReactNode } from "react";
import { num } from "../i18n";
import { SaveRows } from "./save";

export type BarRow = { label: string; value: number; note?: string; shown?: string; at?: ReactNode; key?: string };

// Bars compares a few numbers by length. It is a table to whoever listens, and
// a CSV file to whoever counts on.
export function Bars({ rows, caption, csv = true }: { rows: BarRow[]; caption: string; csv?: boolean }) {
  const most = Math.max(1, ...rows.map((r) => r.value));
  return (
    <>
      <table className="bars">
        <caption className="unseen">{caption}</caption>
        <tbody>
          {rows.map((r) => (
            <tr key={r.key ?? r.label}>
              <th scope="row">{r.at ?? r.label}</th>
              <td><svg height="14" width="100%" aria-hidden><rect width={`${(Math.max(0, r.value) / most) * 100}%`} height="14" rx="2" fill="var(--line-brand)" /></svg></td>
              <td className="value">{r.shown ?? num(r.value)}{r.note && ` · ${r.note}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {csv && <Group justify="flex-end" mt={6}><SaveRows name={caption} head={["", caption]} rows={rows.map((r) => [r.label, r.value])} /></Group>}
    </>
  );
}
