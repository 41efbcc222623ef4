import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import { t, type Word } from "../i18n";

// Low is a table of few columns that scrolls by itself: what belongs to a page
// and is no list of its own.
export function Low({ name, heads, rows }: { name: string; heads: (Word | [Word])[]; rows: ReactNode[][] }) {
  const right = (i: number) => (Array.isArray(heads[i]) ? "right" : undefined);
  return (
    <div className="table low" tabIndex={0} role="region" aria-label={name}>
      <Table>
        <Table.Thead><Table.Tr>{heads.map((h, i) => <Table.Th key={String(h)} ta={right(i)}>{t(Array.isArray(h) ? h[0] : h)}</Table.Th>)}</Table.Tr></Table.Thead>
        <Table.Tbody>{rows.map((r, i) => <Table.Tr key={i}>{r.map((c, k) => <Table.Td key={k} ta={right(k)}>{c}</Table.Td>)}</Table.Tr>)}</Table.Tbody>
      </Table>
    </div>
  );
}
