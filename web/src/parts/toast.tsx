import { CloseButton, Group, Paper, Text } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { problemOf } from "../api/client";
import { said, t } from "../i18n";

type Toast = { id: number; text: string };

let toasts: Toast[] = [];
let count = 0;
const listeners = new Set<() => void>();

function set(next: Toast[]) {
  toasts = next;
  for (const l of listeners) l();
}

const drop = (id: number) => set(toasts.filter((x) => x.id !== id));

// tell shows a sentence for a while; a screen reader reads it.
export function tell(text: string) {
  const id = ++count;
  set([...toasts.slice(-3), { id, text }]);
  setTimeout(() => drop(id), 6000);
}

// tellFailure says what the server refused, with the id that finds it in the log.
export function tellFailure(e: unknown) {
  const p = problemOf(e);
  tell(p.request_id ? `${said(p.detail)} (${t("Request")} ${p.request_id})` : said(p.detail));
}

export function Toasts() {
  const all = useSyncExternalStore((l) => (listeners.add(l), () => void listeners.delete(l)), () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {all.map((x) => (
        <Paper key={x.id} withBorder shadow="md" p="sm" radius="md">
          <Group justify="space-between" wrap="nowrap"><Text size="sm">{x.text}</Text><CloseButton aria-label={t("Close")} onClick={() => drop(x.id)} /></Group>
        </Paper>
      ))}
    </div>
  );
}
