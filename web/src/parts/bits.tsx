import { Alert, Badge, Box, Button, Card, Code, CopyButton, Group, Loader, Progress, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { problemOf } from "../api/client";
import { limit, named, num, percent as percentage, said, t, type Word } from "../i18n";

// Failed shows what went wrong, with the id that finds it in the log.
export function Failed({ error, again }: { error: unknown; again?: () => void }) {
  const p = problemOf(error);
  const fields = (p.errors ?? []).filter((e) => e.message !== p.detail);
  return (
    <Alert role="alert" color="red" variant="outline" title={said(p.detail)} styles={{ title: { color: "var(--bad)", whiteSpace: "normal" } }}>
      <Stack gap={4}>
        {fields.map((e) => <Text size="sm" key={e.field + e.code}><Code>{e.field}</Code> {said(e.message)}</Text>)}
        {p.suggestions && p.suggestions.length > 0 && <Text size="sm">{t("Free ones:")} {p.suggestions.join(", ")}</Text>}
        {p.status === 401 && <Text size="sm"><a href="/login" target="_blank" rel="noreferrer">{t("Sign in in another tab")}</a>, {t("then go on here")}.</Text>}
        <Group gap="xs">
          {p.request_id && <><Text size="sm">{t("Request")}</Text><Code>{p.request_id}</Code><Copy value={p.request_id} /></>}
          {again && <Button size="compact-sm" variant="default" onClick={again}>{t("Try again")}</Button>}
        </Group>
      </Stack>
    </Alert>
  );
}

export function Copy({ value, label = "Copy" }: { value: string; label?: Word }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => <Button size="compact-sm" variant="default" onClick={copy}>{copied ? t("Copied") : t(label)}</Button>}
    </CopyButton>
  );
}

export function Waiting() {
  return <Group justify="center" p="xl" role="status" aria-label={t("Loading")}><Loader color="var(--line-brand)" /></Group>;
}

type Query<T> = { data: T | undefined; error: unknown; refetch: () => unknown };

// gone is a failure after which what was shown before must not stay: it is not
// there any more, or not for one's eyes.
const gone = (q: Query<unknown>) => Boolean(q.error) && (q.data === undefined || [403, 404].includes(problemOf(q.error).status));

// Loaded shows a query's answer, its waiting or its failure; above what was
// answered before, when it could not be asked anew.
export function Loaded<T>({ query, children }: { query: Query<T>; children: (data: T) => ReactNode }) {
  const failed = query.error ? <Failed error={query.error} again={() => void query.refetch()} /> : null;
  if (query.data === undefined || gone(query)) return failed ?? <Waiting />;
  return <>{failed}{children(query.data)}</>;
}

// LoadedPage is Loaded for a whole page, which names itself also where it fails.
export function LoadedPage<T>({ query, children }: { query: Query<T>; children: (data: T) => ReactNode }) {
  const loaded = <Loaded query={query}>{children}</Loaded>;
  return gone(query) ? <Page title={t("This cannot be shown")}>{loaded}</Page> : loaded;
}

export function Page({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <Stack gap="md">
      <Group justify="space-between" gap="sm">
        <Title order={1}>{title}</Title>
        {aside && <Group gap="xs">{aside}</Group>}
      </Group>
      {children}
    </Stack>
  );
}

export function Panel({ title, aside, children }: { title?: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <Card withBorder padding="md" radius="md">
      {(title || aside) && <Group justify="space-between" mb="sm" gap="xs">{title && <Title order={2}>{title}</Title>}{aside && <Group gap="xs">{aside}</Group>}</Group>}
      {children}
    </Card>
  );
}

const tones: Record<string, string> = {
  active: "var(--good)", ok: "var(--good)", done: "var(--good)", verified: "var(--good)", enabled: "var(--good)", open: "var(--good)", accepted: "var(--good)", ready: "var(--good)", sound: "var(--good)", captured: "var(--good)", allowed: "var(--good)",
  pending_approval: "var(--warn)", approved: "var(--warn)", pending: "var(--warn)", warning: "var(--warn)", soon: "var(--warn)", rolled_back: "var(--warn)",
  suspended: "var(--bad)", rejected: "var(--bad)", failed: "var(--bad)", exceeded: "var(--bad)", denied: "var(--bad)", refused: "var(--bad)", error: "var(--bad)",
};

// Status is a word with a dot: the colour repeats it, and is not needed.
export function Status({ value }: { value: string }) {
  return (
    <Badge variant="default" radius="sm" tt="none" fw={500} styles={{ root: { maxWidth: "none", overflow: "visible" }, label: { overflow: "visible" } }} leftSection={<Box component="span" aria-hidden w={8} h={8} style={{ display: "block", borderRadius: 8, background: tones[value] ?? "var(--line)" }} />}>
      {named(value)}
    </Badge>
  );
}

export function Facts({ of }: { of: [Word, ReactNode][] }) {
  return (
    <dl className="facts">
      {of.map(([k, v]) => <div key={k}><dt>{t(k)}</dt><dd>{v ?? "–"}</dd></div>)}
    </dl>
  );
}

export function Figure({ label, value, note }: { label: Word; value: ReactNode; note?: ReactNode }) {
  return (
    <Card withBorder padding="md" radius="md">
      <Text size="sm" c="dimmed">{t(label)}</Text>
      <Text fz={{ base: 20, xs: 26 }} fw={650} lh={1.2}>{value}</Text>
      {note && <Text size="sm" c="dimmed">{note}</Text>}
    </Card>
  );
}

// Bar shows how much of a limit is used.
export function Bar({ label, used, of, unit = "", percent, state }: { label: string; used: number; of: number; unit?: string; percent?: number | null; state?: string }) {
  const part = percent ?? (of > 0 ? (used / of) * 100 : 0);
  const tone = state ?? (part >= 100 && of >= 0 ? "exceeded" : part >= 80 && of >= 0 ? "warning" : "ok");
  return (
    <div>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={500}>{label}</Text>
        <Text size="sm">{num(used)} / {limit(of, unit)}{of >= 0 && <> · {percentage(part, 0)}</>}</Text>
      </Group>
      <Progress value={Math.min(100, Math.max(0, part))} color={tone === "ok" ? "var(--line-brand)" : tones[tone]} aria-label={label} size="md" mt={4} />
    </div>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <Text c="dimmed" ta="center" py="xl">{children}</Text>;
}
