import { Alert, Button, FileButton, Group, SegmentedControl, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { call, send, upload } from "../api/client";
import { num, t } from "../i18n";
import { type Brand, builtIn, contrast, primaryOf, readable, valid } from "../theme";
import { Failed, Loaded, Panel } from "./bits";
import { type Entered, Input, wrongIn } from "./dialog";
import { Conflict, type Guarded, useGuard } from "./guard";
import { useGet } from "./link";
import { tell } from "./toast";

const texts = ["app_name", "logo_url", "favicon_url", "primary_color", "secondary_color", "support_email", "footer_text"] as const;
type Text = (typeof texts)[number];

const hides = (b: Brand, inherited: Brand) => b.hide_powered_by ?? inherited.hide_powered_by ?? false;
const entered = (b: Brand, inherited: Brand): Entered => ({ ...Object.fromEntries(texts.map((k) => [k, b[k] ?? ""])), hide_powered_by: hides(b, inherited) });

// toBrand leaves what is empty, and a switch nobody moved, as it was: inherited.
function toBrand(v: Entered, was: Brand, inherited: Brand): Brand {
  const hide = v.hide_powered_by === true;
  return {
    ...(Object.fromEntries(texts.map((k) => [k, v[k] === "" ? null : String(v[k])])) as Pick<Brand, Text>),
    hide_powered_by: hide === hides(was, inherited) ? was.hide_powered_by : hide === hides(inherited, builtIn) ? null : hide,
  };
}

// over is a brand with what it inherits.
const over = (b: Brand, inherited: Brand) => Object.fromEntries(Object.entries(b).map(([k, v]) => [k, v ?? inherited[k as keyof Brand]])) as Brand;

// BrandingEditor changes the brand of an admin, with what it will look like.
export function BrandingEditor({ admin }: { admin: number }) {
  const query = useGet("/api/tenants/admins/{admin_id}/branding", { admin_id: admin });
  return <Loaded query={query}>{(b) => <Editor brand={b.branding} inherited={b.inherited} guarded={{ path: "/api/tenants/admins/{admin_id}/branding", params: { admin_id: admin }, seen: b }} pictures={`/api/tenants/admins/${admin}/branding/logo`} save={(body) => call({ method: "put", path: "/api/tenants/admins/{admin_id}/branding", params: { admin_id: admin }, body: { branding: body } })} />}</Loaded>;
}

// Editor keeps what is being typed when somebody else saves meanwhile; what
// nobody typed into follows.
export function Editor({ brand, inherited, guarded, pictures, save }: { brand: Brand; inherited: Brand; guarded: Guarded; pictures: string; save: (b: Brand) => ReturnType<typeof call> }) {
  const [from, setFrom] = useState({ brand, guarded });
  const [touched, setTouched] = useState(false);
  if (!touched && versionOf(from.guarded) !== versionOf(guarded)) setFrom({ brand, guarded });
  return <Fields key={versionOf(from.guarded)} typed={touched} brand={from.brand} inherited={inherited} guarded={from.guarded} touch={setTouched} pictures={pictures} save={save} />;
}

const versionOf = (g: Guarded) => (g.seen as { updated_at?: string }).updated_at;

function Fields({ typed, brand, inherited, guarded, touch, pictures, save }: { typed: boolean; brand: Brand; inherited: Brand; guarded: Guarded; touch: (yes: boolean) => void; pictures: string; save: (b: Brand) => ReturnType<typeof call> }) {
  const [values, setAll] = useState(() => entered(brand, inherited));
  const setValues = (v: typeof values) => {
    setAll(v);
    touch(true);
  };
  const [error, setError] = useState<unknown>(null);
  const client = useQueryClient();
  const guard = useGuard(guarded);
  const now = toBrand(values, brand, inherited);
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    setError(null);
    try {
      await send(save(now), { match: guard.match() });
      tell(t("Saved"));
      touch(false);
      await client.invalidateQueries();
    } catch (problem) {
      if (!(await guard.refused(problem).catch(() => false))) setError(problem);
    }
  };
  const wrong = wrongIn(error);
  const input = (name: Text, props: Omit<Parameters<typeof Input>[0]["field"], "name">) => <Input field={{ name, inherited: inherited[name], ...props }} value={values[name]} error={wrong[name]} set={(v) => setValues({ ...values, [name]: v })} />;
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <Panel title={t("Brand")}>
        <form data-typed={typed || undefined} onSubmit={(e) => void submit(e)}>
          <Stack gap="sm">
            <Text size="sm" c="dimmed">{t("What is empty is inherited.")}</Text>
            {input("app_name", { label: "Product name" })}
            {input("logo_url", { label: "Logo", hint: t("An https address, or upload a picture.") })}
            <Upload to={pictures} name={t("Logo")} done={(url) => setValues({ ...values, logo_url: url })} failed={setError} />
            {input("favicon_url", { label: "Icon", hint: t("An https address, or upload a picture.") })}
            <Upload to={pictures} name={t("Icon")} done={(url) => setValues({ ...values, favicon_url: url })} failed={setError} />
            <Text size="xs" c="dimmed">{t("PNG, JPEG, GIF, WebP or SVG, at most 1 MB. It is stored here, and cleaned.")}</Text>
            {input("primary_color", { label: "Primary colour", type: "color" })}
            {input("secondary_color", { label: "Secondary colour", type: "color" })}
            {input("support_email", { label: "Support e-mail", type: "email" })}
            {input("footer_text", { label: "Footer", type: "long" })}
            <Input field={{ name: "hide_powered_by", label: "Hide “powered by”", type: "switch" }} value={values.hide_powered_by} set={(v) => setValues({ ...values, hide_powered_by: v })} />
            <Contrast brand={over(now, inherited)} fix={(name, v) => setValues({ ...values, [name]: v })} />
            <Conflict of={guarded} guard={guard} close={() => touch(false)} />
            {error !== null && <Failed error={error} />}
            <Group justify="flex-end"><Button type="submit" disabled={guard.conflict !== null}>{t("Save")}</Button></Group>
          </Stack>
        </form>
      </Panel>
      <Preview brand={over(now, inherited)} />
    </SimpleGrid>
  );
}

// Upload sends a picture at once; what is saved afterwards is its address.
function Upload({ to, name, done, failed }: { to: string; name: string; done: (url: string) => void; failed: (e: unknown) => void }) {
  const [busy, setBusy] = useState(false);
  const send = async (file: File | null) => {
    if (!file) return;
    setBusy(true);
    failed(null);
    try {
      done((await upload(to, file)).url);
      tell(t("Uploaded. Save to use it."));
    } catch (e) {
      failed(e);
    }
    setBusy(false);
  };
  return (
    <Group><FileButton onChange={(f) => void send(f)} accept="image/png,image/jpeg,image/gif,image/webp,image/svg+xml" inputProps={{ "aria-label": t("Upload {name}", { name }) }}>
      {(props) => <Button {...props} size="compact-sm" variant="default" disabled={busy} aria-label={t("Upload {name}", { name })}>{t("Upload")}</Button>}
    </FileButton></Group>
  );
}

// Contrast warns of colours that are hard to read on a light page, or to see on a
// dark one, with one that is not; also of those that are inherited.
function Contrast({ brand, fix }: { brand: Brand; fix: (name: Text, v: string) => void }) {
  const weak = (["primary_color", "secondary_color"] as const).flatMap((name) => grounds.flatMap((p) => {
    const c = brand[name];
    return valid(c) && contrast(c, p.ground) < p.least ? [{ ...p, name, ratio: contrast(c, p.ground), better: readable(c, p.ground, p.least).toUpperCase() }] : [];
  }));
  return weak.map((w) => (
    <Alert key={w.name + w.ground} variant="outline" color="yellow" title={`${t(w.name === "primary_color" ? "Primary colour" : "Secondary colour")}: ${t(w.hard, { ratio: num(w.ratio) })}`} styles={{ title: { color: "var(--warn)" } }}>
      <Text size="sm" mb={6}>{t(w.mended)}</Text>
      <Button size="compact-sm" variant="default" onClick={() => fix(w.name, w.better)}>{t("Take {colour}", { colour: w.better })}</Button>
    </Alert>
  ));
}

// grounds are what pages have below their text and lines: light ones, dark ones.
const light = "#ffffff";
const night = "#1a1b1e";
const grounds = [
  { ground: light, least: 4.5, hard: "Hard to read on white: {ratio} to 1, text needs 4.5", mended: "Pages darken it by themselves where it is text. You may also take the nearest that can be read." },
  { ground: night, least: 3, hard: "Hard to see in dark: {ratio} to 1, lines need 3", mended: "Dark pages lighten it by themselves. You may also take the nearest that can be seen." },
] as const;

const still = 800; // ms in which nobody types on

// useSettled is the address of a picture once it is whole and nobody types on:
// pieces of it are names of others.
function useSettled(url: string | null): string | null {
  const [settled, set] = useState(url);
  useEffect(() => {
    const wait = setTimeout(() => set(url), still);
    return () => clearTimeout(wait);
  }, [url]);
  return settled && /^(https:\/\/[^/]+\/.|\/[^/])/.test(settled) ? settled : null;
}

function Preview({ brand }: { brand: Brand }) {
  const [what, setWhat] = useState("page");
  const [dark, setDark] = useState("light");
  const ground = dark === "dark" ? night : light;
  const ink = dark === "dark" ? "#eceef0" : "#1a1b1e";
  const fill = primaryOf(brand);
  const link = readable(fill, ground, 4.5);
  const line = readable(fill, ground, 3);
  const onFill = contrast(fill, "#ffffff") >= 4.5 ? "#ffffff" : "#000000";
  const name = brand.app_name;
  const logo = useSettled(brand.logo_url);
  const button = <span style={{ display: "inline-block", background: fill, color: onFill, padding: "8px 16px", borderRadius: 4, fontWeight: 600 }}>{what === "page" ? t("Sign in") : t("Open")}</span>;
  return (
    <Panel title={t("Preview")} aside={<Group gap="xs">
      <SegmentedControl size="xs" aria-label={t("Preview of")} value={what} onChange={setWhat} data={[{ value: "page", label: t("Sign-in page") }, { value: "app", label: t("Console") }, { value: "mail", label: t("Mail") }]} />
      <SegmentedControl size="xs" aria-label={t("Appearance")} value={dark} onChange={setDark} data={[{ value: "light", label: t("Light") }, { value: "dark", label: t("Dark") }]} />
    </Group>}>
      {what === "mail" ? <Mail name={name} ground={ground} ink={ink} /> : <div className="preview" style={{ background: ground, color: ink }} aria-label={t("Preview")} role="group">
        <div style={{ borderBottom: `4px solid ${what === "app" ? line : link}`, padding: 12, fontWeight: 650, display: "flex", gap: 8, alignItems: "center" }}>
          {logo && <img src={logo} alt="" height={24} style={{ maxWidth: 120 }} referrerPolicy="no-referrer" />}{name}
        </div>
        <div style={{ padding: 16, display: "grid", gap: 12, justifyItems: "start" }}>
          <strong style={{ fontSize: 18 }}>{what === "page" ? t("Sign in") : t("Dashboard")}</strong>
          {what === "app" && <svg width="100%" height="60" aria-hidden><polyline fill="none" stroke={line} strokeWidth="2" points="0,50 60,38 120,42 180,20 240,26 300,8" /></svg>}
          {what === "page" && [t("E-mail"), t("Password")].map((l) => <span key={l} style={{ display: "grid", gap: 4, width: "100%", fontSize: 14 }}>{l}<span style={{ border: `1px solid ${ink}99`, borderRadius: 4, height: 34 }} /></span>)}
          <span style={{ color: link, textDecoration: "underline" }}>{what === "page" ? t("Forgot the password?") : t("Organizations")}</span>
          {button}
        </div>
        <div style={{ padding: "8px 16px", fontSize: 13, borderTop: `1px solid ${ink}33` }}>{[brand.footer_text, brand.support_email, !brand.hide_powered_by && "Tenantry"].filter(Boolean).join(" · ")}</div>
      </div>}
    </Panel>
  );
}

// Mail is one as it is sent: text alone, in the brand's name. The reader's program
// decides how it looks.
function Mail({ name, ground, ink }: { name: string | null; ground: string; ink: string }) {
  return (
    <div className="preview" style={{ background: ground, color: ink, padding: 16, display: "grid", gap: 8 }} aria-label={t("Preview")} role="group">
      <span>{t("From")}: <strong>{name}</strong></span>
      <span>{t("Subject")}: <strong>Welcome to {name}</strong></span>
      <span lang="en" style={{ whiteSpace: "pre-line" }}>{`Hello,\n\nyour organization "example" at ${name} is ready. Sign in with this e-mail address and the password you chose when you registered.`}</span>
    </div>
  );
}

