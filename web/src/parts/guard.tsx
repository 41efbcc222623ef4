import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type GetPath, problemOf, tagged, type Values } from "../api/client";
import { t } from "../i18n";
import { Low } from "./table";

// Guarded is what an edit is of: where it is read, and what of it the form was
// filled with.
export type Guarded = { path: GetPath; params: Values; seen: object };

type Thing = Record<string, unknown>;

// moving changes without anybody's edit.
const moving = /^(updated_at|credit|member_count|invited_count|organization_count|warnings$)/;

const shown = (v: unknown) => (v === null || v === undefined || v === "" ? "–" : typeof v === "object" ? JSON.stringify(v) : String(v));

function changed(before: object, now: object): [string, string, string][] {
  const a = before as Thing;
  const b = now as Thing;
  return Object.keys({ ...a, ...b }).filter((k) => !moving.test(k) && JSON.stringify(a[k]) !== JSON.stringify(b[k])).map((k) => [k, shown(a[k]), shown(b[k])]);
}

export type Guard = {
  match: () => string | undefined; // what If-Match says
  conflict: object | null; // what is there now, where it is another
  refused: (e: unknown) => Promise<boolean>; // whether it was for that
  go: () => void; // save all the same
};

// useGuard remembers which version a form was filled from, so that nobody's
// change is overwritten unseen.
export function useGuard(of: Guarded | undefined): Guard {
  const [etag, setEtag] = useState<string | undefined>();
  const [conflict, setConflict] = useState<object | null>(null);
  const look = async () => {
    if (!of) return;
    const now = await tagged(of.path, of.params);
    setEtag(now.etag);
    if ((now.data as Thing).updated_at !== (of.seen as Thing).updated_at) setConflict(now.data);
  };
  useEffect(() => {
    look().catch(() => undefined); // the save then goes without
  }, []);
  return {
    match: () => etag, conflict,
    refused: async (e) => {
      if (!of || problemOf(e).status !== 412) return false;
      await look();
      return true;
    },
    go: () => setConflict(null),
  };
}

// Conflict says what somebody else changed since the form was filled.
export function Conflict({ of, guard, close }: { of: Guarded; guard: Guard; close: () => void }) {
  const client = useQueryClient();
  if (!guard.conflict) return null;
  const fields = changed(of.seen, guard.conflict);
  const reload = async () => {
    await client.invalidateQueries();
    close();
  };
  return (
    <Alert role="alert" color="yellow" variant="outline" title={t("Somebody changed this meanwhile.")} styles={{ title: { color: "var(--warn)" } }}>
      <Stack gap="xs">
        {fields.length > 0 ? <Low name={t("What changed")} heads={["Field", "Before", "Now"]} rows={fields} /> : <Text size="sm">{t("No field changed.")}</Text>}
        <Group gap="xs">
          <Button size="compact-sm" onClick={() => void reload()}>{t("Reload")}</Button>
          <Button size="compact-sm" variant="default" onClick={guard.go}>{t("Go on with mine")}</Button>
        </Group>
      </Stack>
    </Alert>
  );
}
