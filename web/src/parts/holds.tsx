import { Alert, Text } from "@mantine/core";
import type { Schemas } from "../api/client";
import { named, t, when } from "../i18n";

// Holds says why something is suspended.
export function Holds({ holds, more }: { holds: Schemas["Hold"][] | null; more?: string }) {
  if (!holds?.length && !more) return null;
  return (
    <Alert variant="outline" color="red" title={t("Suspended")} styles={{ title: { color: "var(--bad)" } }}>
      {more && <Text size="sm">{more}</Text>}
      {(holds ?? []).map((h) => <Text size="sm" key={h.source + h.at}>{named(h.source)} · {h.reason} · {when(h.at)}{h.expires_at && ` – ${when(h.expires_at)}`}</Text>)}
    </Alert>
  );
}
