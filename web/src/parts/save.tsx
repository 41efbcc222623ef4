import { Button } from "@mantine/core";
import { useState } from "react";
import { asCSV, type GetPath, type Values } from "../api/client";
import { download, toCSV } from "./csv";
import { tellFailure } from "./toast";

// SaveCSV saves what the server itself writes as CSV.
export function SaveCSV({ path, params, query, name }: { path: GetPath; params?: Values; query?: Values; name: string }) {
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      download(`${name}.csv`, await asCSV(path, params, query));
    } catch (e) {
      tellFailure(e);
    }
    setBusy(false);
  };
  return <Button size="compact-sm" variant="default" disabled={busy} aria-label={`CSV: ${name}`} onClick={() => void save()}>CSV</Button>;
}

// SaveRows saves what is shown as CSV.
export function SaveRows({ name, head, rows }: { name: string; head: string[]; rows: unknown[][] }) {
  return <Button size="compact-sm" variant="default" aria-label={`CSV: ${name}`} onClick={() => download(`${name}.csv`, toCSV(head, rows))}>CSV</Button>;
}
