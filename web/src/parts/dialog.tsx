import { Button, Checkbox, Code, Group, Modal, NativeSelect, PasswordInput, Stack, Switch, Text, Textarea, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { address, type Call, curl, type Effects, newKey, problemOf, rehearse, send } from "../api/client";
import { named, num, said, t, type Word } from "../i18n";
import { Copy, Failed, Waiting } from "./bits";
import { Conflict, type Guarded, useGuard } from "./guard";
import { valid } from "../theme";
import { type Find, Pick } from "./pick";
import { tell } from "./toast";

export type Field = {
  name: string;
  label: Word;
  type?: "text" | "email" | "password" | "number" | "long" | "switch" | "select" | "many" | "date" | "color" | "pick";
  options?: { value: string; label: string }[];
  find?: Find; // of a pick
  required?: boolean;
  hint?: string;
  inherited?: string | null; // what holds while the field is empty
  least?: number;
  step?: string;
};

export type Entered = Record<string, string | boolean | string[]>;

// Action is something one does in a dialog.
export type Action = {
  title: string;
  button: string;
  intro?: ReactNode;
  fields?: Field[];
  initial?: Entered;
  // make writes the call from what was entered. Text fields give "" when empty.
  make: (v: Entered) => Call;
  // danger is confirmed with what the dry run says; typed asks for a name too.
  danger?: boolean;
  typed?: string;
  // outlook says, below whom it hits, what will be otherwise, as things stand when
  // one looks.
  outlook?: (v: Entered) => Promise<string[]>;
  done?: string | ((answer: unknown) => string);
  // guard is what the fields were filled from: a change that somebody else made
  // meanwhile is shown, not overwritten.
  guard?: Guarded;
  after?: (answer: unknown) => void;
  // secret shows once what the answer holds.
  secret?: (answer: unknown) => string;
  // onward is where one may go from there.
  onward?: { label: string; go: (answer: unknown) => void };
};

// asNumber is a field's number, or null for an empty one.
export const asNumber = (v: Entered[string] | undefined): number | null => (v === "" || v === undefined ? null : Number(v));
export const asText = (v: Entered[string] | undefined): string | null => (v === "" || v === undefined ? null : String(v));

const counted: [Exclude<keyof Effects, "over">, Word, Word][] = [
  ["admins", "{n} admin", "{n} admins"], ["organizations", "{n} organization", "{n} organizations"], ["users", "{n} user", "{n} users"],
  ["domains", "{n} domain", "{n} domains"], ["credits", "{n} credit", "{n} credits"], ["api_keys", "{n} API key", "{n} API keys"],
  ["invitations", "{n} open invitation", "{n} open invitations"], ["plugins", "{n} plugin", "{n} plugins"], ["access", "{n} leave to act for a member", "{n} leaves to act for a member"],
];

// effectsOf says whom a change hits, and who is over what.
function effectsOf(e: Effects): string[] {
  const over = (e.over ?? []).map((o) => t("{name} would be over: {what}, {used} of {limit}", { name: o.name, what: named(o.field), used: o.used, limit: o.limit }));
  return [...counted.flatMap(([k, one, more]) => (e[k] ? [t(e[k] === 1 ? one : more, { n: e[k] })] : [])), ...over];
}

// Looked is what a dry run said of what was entered then; of what was entered
// since, also while it was under way, it says nothing.
type Looked = { of: Entered; effects: Effects; more?: string[] };
const lookedNow = (l: Looked | null, v: Entered) => (l?.of === v ? l : null);

// wrongIn says by the name of a field what is wrong with it.
export const wrongIn = (error: unknown): Record<string, string> => Object.fromEntries((problemOf(error).errors ?? []).map((e) => [e.field.split(".").pop() ?? "", said(e.message)]));

export function Dialog({ action, close }: { action: Action | null; close: () => void }) {
  return <Window open={action !== null} title={action?.title} close={close}>{action && <Content action={action} close={close} />}</Window>;
}

// Window stands before the page. A click beside it leaves it open: what was typed
// would be lost, or a key that is shown once.
function Window({ open, title, close, children }: { open: boolean; title?: string; close: () => void; children: ReactNode }) {
  return <Modal opened={open} onClose={close} title={title} closeOnClickOutside={false} closeButtonProps={{ "aria-label": t("Close") }} size="lg" centered transitionProps={{ duration: 0 }}>{children}</Modal>;
}

const given = 50; // ms in which the window gives the focus back itself

// useReturn gives the focus back when a dialog has closed: to what had it before,
// or, where that went with what was done, to the page.
function useReturn() {
  const [from] = useState(() => document.activeElement);
  useEffect(() => () => void setTimeout(() => {
    if (document.activeElement !== document.body) return;
    const back = from?.isConnected ? from : document.getElementById("main");
    (back as HTMLElement | null)?.focus({ preventScroll: true });
  }, given), []);
}

function Content({ action, close }: { action: Action; close: () => void }) {
  useReturn();
  const [values, setValues] = useState<Entered>(() => start(action));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [looked, setLooked] = useState<Looked | null>(null);
  const [typed, setTyped] = useState("");
  const [missing, setMissing] = useState<string | null>(null); // the required choice that nothing was chosen of
  const [answer, setAnswer] = useState<unknown>(null); // of what holds a secret
  const [key] = useState(newKey);
  const client = useQueryClient();
  const guard = useGuard(action.guard);
  const fields = action.fields ?? [];

  const attempt = async (f: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await f();
    } catch (e) {
      if (!(await guard.refused(e).catch(() => false))) setError(e);
    }
    setBusy(false);
  };
  const seen = lookedNow(looked, values);
  const effects = seen?.effects;
  const look = () => attempt(async () => {
    const [effects, more] = await Promise.all([rehearse(action.make(values)), action.outlook?.(values)]);
    setLooked({ of: values, effects, more });
  });
  const perform = () => attempt(async () => {
    const answer = await send(action.make(values), { key, match: guard.match() });
    await client.invalidateQueries();
    if (action.done) tell(typeof action.done === "function" ? action.done(answer) : action.done);
    action.after?.(answer);
    if (action.secret) setAnswer(answer);
    else close();
  });
  // What needs no more than a yes says at once whom it hits.
  useEffect(() => {
    if (action.danger && fields.length === 0) void look();
  }, []);

  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (busy || guard.conflict) return;
    const empty = fields.find((f) => f.required && f.type === "many" && (values[f.name] as string[]).length === 0);
    setMissing(empty?.name ?? null);
    if (empty) return;
    if (action.danger && !effects) void look();
    else if (!action.typed || typed === action.typed) void perform();
  };
  if (action.secret && answer !== null) return <Secret value={action.secret(answer)} onward={action.onward && <Button variant="default" onClick={() => action.onward?.go(answer)}>{action.onward.label}</Button>} close={close} />;
  const wrong = wrongIn(error);
  const c = effects ? action.make(values) : null;
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {action.intro && <Text component="div" size="sm">{action.intro}</Text>}
        {fields.length > 0 && <div className="fields">
          {fields.map((f, i) => <div key={f.name} data-type={f.type}><Input field={f} value={values[f.name]} error={f.name === missing ? t("Choose at least one.") : wrong[f.name]} first={i === 0} set={(v) => setValues({ ...values, [f.name]: v })} /></div>)}
        </div>}
        {action.guard && <Conflict of={action.guard} guard={guard} close={close} />}
        {busy && action.danger && !effects && <Waiting />}
        {effects && <EffectsNote effects={effects} more={seen?.more} />}
        {effects && action.typed && <TextInput label={t("Type {name} to confirm", { name: action.typed })} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} autoComplete="off" />}
        {error !== null && <Failed error={error} />}
        <Group justify="flex-end" gap="xs">
          {c && <Copy value={curl(c.method.toUpperCase(), address(c.path, c.params, c.query), c.body)} label="Copy as curl" />}
          <Button variant="default" onClick={close}>{t("Cancel")}</Button>
          {action.danger && !effects
            ? <Button type="submit" disabled={busy || guard.conflict !== null}>{t("See what it does")}</Button>
            : <Button type="submit" color={action.danger ? "bad" : undefined} disabled={busy || guard.conflict !== null || Boolean(action.typed && typed !== action.typed)}>{action.button}</Button>}
        </Group>
      </Stack>
    </form>
  );
}

function start(a: Action): Entered {
  const empty = (f: Field) => (f.type === "switch" ? false : f.type === "many" ? [] : f.type === "select" ? (f.options?.[0]?.value ?? "") : "");
  return { ...Object.fromEntries((a.fields ?? []).map((f) => [f.name, empty(f)])), ...a.initial };
}

// EffectsNote takes the focus: one reads what happens before one reaches the
// button that does it.
function EffectsNote({ effects, more = [] }: { effects: Effects; more?: string[] }) {
  const hit = effectsOf(effects);
  const note = useRef<HTMLDivElement>(null);
  useEffect(() => note.current?.focus(), []);
  return (
    <div ref={note} tabIndex={-1} role="status" className="effects">
      {hit.length === 0 ? <Text size="sm">{t("This touches nobody else.")}</Text>
        : <><Text size="sm" fw={600}>{t("This touches:")}</Text><ul>{hit.map((s) => <li key={s}>{s}</li>)}</ul></>}
      {more.map((s) => <Text size="sm" key={s}>{s}</Text>)}
    </div>
  );
}

function Secret({ value, onward, close }: { value: string; onward: ReactNode; close: () => void }) {
  return (
    <Stack gap="sm">
      <Text size="sm">{t("This is shown once. Keep it safe.")}</Text>
      <Code block style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{value}</Code>
      <Group justify="flex-end"><Copy value={value} />{onward}<Button onClick={close}>{t("Done")}</Button></Group>
    </Stack>
  );
}

// Input is one field of a form, of whatever type.
export function Input({ field: f, value, error, set, first }: { field: Field; value: Entered[string] | undefined; error?: string; set: (v: Entered[string]) => void; first?: boolean }) {
  const shared = { label: t(f.label), description: f.hint, error, required: f.required, "data-autofocus": first || undefined, name: f.name };
  const text = { ...shared, value: String(value ?? ""), autoComplete: "off", placeholder: f.inherited ?? undefined };
  switch (f.type) {
    case "switch":
      return <Switch label={t(f.label)} description={f.hint} checked={value === true} onChange={(e) => set(e.currentTarget.checked)} />;
    case "long":
      return <Textarea {...text} autosize={false} rows={3} onChange={(e) => set(e.currentTarget.value)} />;
    case "password":
      return <PasswordInput {...text} autoComplete="new-password" visibilityToggleButtonProps={{ "aria-label": t("Show the password") }} onChange={(e) => set(e.currentTarget.value)} />;
    case "select":
      return <NativeSelect {...shared} value={String(value ?? "")} data={f.options ?? []} onChange={(e) => set(e.currentTarget.value)} />;
    case "pick":
      return <Pick find={f.find as Find} label={t(f.label)} hint={f.hint} error={error} required={f.required} first={first} name={f.name} value={String(value ?? "")} set={set} />;
    case "many":
      return (
        <Checkbox.Group label={t(f.label)} description={f.hint} error={error} required={f.required} value={value as string[]} onChange={set}>
          <Group gap="sm" mt={6}>{(f.options ?? []).map((o) => <Checkbox key={o.value} value={o.value} label={o.label} />)}</Group>
        </Checkbox.Group>
      );
    case "color":
      return (
        <Group align="flex-end" gap="xs" wrap="nowrap">
          <TextInput {...text} style={{ flex: 1 }} placeholder={f.inherited ?? "#RRGGBB"} onChange={(e) => set(e.currentTarget.value)} />
          <input type="color" aria-label={t("Choose {name}", { name: t(f.label) })} value={[String(value), f.inherited].find(valid) ?? "#888888"} onChange={(e) => set(e.currentTarget.value.toUpperCase())} />
        </Group>
      );
    default:
      return <TextInput {...text} type={f.type ?? "text"} min={f.least} max={f.type === "number" ? Number.MAX_SAFE_INTEGER : undefined} step={f.step} onChange={(e) => set(e.currentTarget.value)} />;
  }
}

// Bulk runs the same action on several things, one after the other, and says
// how far it is and what was refused; only that is left to try again. Who closes
// it stops it before the next.
export function Bulk({ title, button, fields, things, make, close, clear }: {
  title: string; button: string; fields?: Field[]; things: { id: number; name: string }[]; make: (id: number, v: Entered) => Call; close: () => void; clear: () => void;
}) {
  useReturn();
  const [values, setValues] = useState<Entered>(() => start({ fields, title, button, make: () => make(0, {}) }));
  const [left, setLeft] = useState(things);
  const [looked, setLooked] = useState<Looked | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const [refused, setRefused] = useState<{ name: string; error: unknown }[]>([]);
  const open = useRef(true);
  useEffect(() => () => { open.current = false; }, []);
  const client = useQueryClient();
  const effects = lookedNow(looked, values)?.effects;
  const walk = async (f: (id: number) => Promise<void>) => {
    const bad: { id: number; name: string; error: unknown }[] = [];
    let tried = 0;
    for (const x of left) {
      if (!open.current) break;
      setAt(tried++);
      try {
        await f(x.id);
      } catch (error) {
        bad.push({ ...x, error });
      }
    }
    setAt(null);
    setRefused(bad);
    return { bad, done: tried - bad.length };
  };
  const look = async () => {
    const sum: Effects = {};
    await walk(async (id) => {
      const e = await rehearse(make(id, values));
      for (const [k] of counted) sum[k] = (sum[k] ?? 0) + (e[k] ?? 0);
      sum.over = [...(sum.over ?? []), ...(e.over ?? [])];
    });
    setLooked({ of: values, effects: sum });
  };
  const perform = async () => {
    const { bad, done } = await walk(async (id) => void (await send(make(id, values), { key: newKey() })));
    setLooked(null);
    setLeft(bad);
    await client.invalidateQueries();
    tell(t("{n} of {all} done", { n: done, all: left.length }));
    if (bad.length > 0 || !open.current) return;
    clear();
    close();
  };
  return (
    <Window open title={title} close={close}>
      <form onSubmit={(e) => { e.preventDefault(); void (effects ? perform() : look()); }}>
        <Stack gap="sm">
          <Text size="sm">{left.map((x) => x.name).join(", ")}</Text>
          {fields?.map((f, i) => <Input key={f.name} field={f} value={values[f.name]} first={i === 0} set={(v) => setValues({ ...values, [f.name]: v })} />)}
          {at !== null && <Text role="status" size="sm">{num(at)} / {num(left.length)}</Text>}
          {effects && <EffectsNote effects={effects} />}
          {refused.map((r) => <div key={r.name}><Text size="sm" fw={600}>{r.name}</Text><Failed error={r.error} /></div>)}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>{t("Cancel")}</Button>
            <Button type="submit" disabled={at !== null} color={effects ? "bad" : undefined}>{effects ? button : t("See what it does")}</Button>
          </Group>
        </Stack>
      </form>
    </Window>
  );
}

export const choices = (values: string[]) => values.map((value) => ({ value, label: named(value) }));
