import { Button, Checkbox, Group, NativeSelect, Stack, Table, Text, TextInput, UnstyledButton } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ChangeEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { address, type Answer, curl, get, type GetPath, type Values } from "../api/client";
import { named, num, t, type Word } from "../i18n";
import { useAddress } from "./address";
import { Copy, Empty, Failed, Waiting } from "./bits";
import { download, toCSV } from "./csv";
import { begins, ends } from "./days";
import { type Choice, type Find, Pick } from "./pick";
import { SavedFilters } from "./saved";

type RowOf<P extends GetPath> = Answer<P> extends { data: (infer R)[] | null } ? R : never;

export type Column<R> = {
  head: Word;
  cell: (r: R) => ReactNode;
  csv?: false | ((r: R) => string | number | boolean | null | undefined); // false: not in the file
  right?: boolean;
  sort?: string; // what the API sorts by, where it does
};

// Filter is one of a list: a choice, or a text that is sent with Enter.
// first is the choice that a list begins with, where all is none of them; find
// picks something by name.
export type Filter = { name: string; label: Word; options?: string[]; type?: "text" | "date"; first?: string; find?: Find; choices?: Choice[] };

type Props<P extends GetPath, R> = {
  path: P;
  label: string;
  columns: Column<R>[];
  id: (r: R) => string | number;
  params?: Values;
  fixed?: Values;
  filters?: Filter[];
  prefix?: string; // of its names in the address, where a page has several lists
  to?: (r: R) => string; // the page of a row, below /app
  empty?: ReactNode;
  detail?: (r: R) => ReactNode; // unfolds below the row
  bulk?: (chosen: R[], clear: () => void) => ReactNode;
};

const size = 50;

// cursors remembers how deep pages are reached without counting rows again; a
// page whose cursor is not known is asked for by its offset.
const cursors = new Map<string, string>();

// List shows one page of a list of the API. Page and filters stand in the
// address; the server does the work.
export function List<P extends GetPath, R extends RowOf<P> = RowOf<P>>(props: Props<P, R>) {
  const { path, params = {}, fixed = {}, filters = [], prefix = "" } = props;
  const [search, set] = useAddress();
  const page = Math.max(1, Number(search[`${prefix}page`] ?? 1) || 1);
  const sort = search[`${prefix}sort`] ?? "";
  const narrowed: Values = { ...fixed, ...Object.fromEntries(filters.map((f) => [f.name, search[prefix + f.name]])) };
  const here = JSON.stringify([path, params, narrowed, sort]);
  const cursor = cursors.get(`${here}#${page}`);
  // What is chosen is chosen on this page: whatever else changes the address, by
  // going back say, or takes a row off it must not leave rows chosen that nobody sees.
  const [choice, setChoice] = useState<{ at: string; rows: R[] }>({ at: "", rows: [] });
  const query: Values = { ...asked(narrowed), sort: sort || undefined, limit: size, ...(page > 1 ? (cursor ? { cursor } : { offset: (page - 1) * size }) : {}) };
  const list = useQuery({
    queryKey: [path, params, query],
    queryFn: () => get(path, params, query) as Promise<{ data: R[] | null; pagination: { total: number; has_more: boolean; next_cursor: string | null } }>,
    placeholderData: keepPreviousData,
  });
  const rows = list.data?.data ?? [];
  const pages = list.data?.pagination;
  const past = list.isPlaceholderData; // these are still the rows of the address before
  const chosen = choice.at === `${here}#${page}` ? rows.filter((r) => choice.rows.some((c) => props.id(c) === props.id(r))) : [];
  const setChosen = (rows: R[]) => past || setChoice({ at: `${here}#${page}`, rows });
  if (!past && pages?.next_cursor) cursors.set(`${here}#${page + 1}`, pages.next_cursor);
  const go = (n: number) => set({ [`${prefix}page`]: n > 1 ? String(n) : "" }, true);
  const resort = (s: string) => set({ [`${prefix}sort`]: s, [`${prefix}page`]: "" });
  return (
    <Stack gap="sm">
      {filters.length > 0 && <Filters filters={filters} values={narrowed} prefix={prefix} set={(c) => set({ ...c, [`${prefix}page`]: "" })} name={path} />}
      {props.columns.some((c) => c.sort) && <SortBy columns={props.columns} sort={sort} set={resort} />}
      {list.error && <Failed error={list.error} again={() => void list.refetch()} />}
      {!pages ? !list.error && <Waiting />
        : rows.length === 0 ? <Empty>{props.empty ?? t("There is nothing here.")}</Empty>
        : <Rows {...props} rows={rows} chosen={chosen} setChosen={setChosen} sort={sort} setSort={resort} />}
      {pages && (
        <Group justify="space-between" gap="xs">
          <Text size="sm" c="dimmed" role="status">{t("{total} in all", { total: pages.total })}{page > 1 && ` · ${t("page {page}", { page })}`}</Text>
          <Group gap="xs">
            {chosen.length > 0 && props.bulk?.(chosen, () => setChosen([]))}
            <Copy value={curl("GET", address(path, params, query))} label="Copy as curl" />
            <Export path={path} params={params} query={{ ...asked(narrowed), sort: sort || undefined }} columns={props.columns} name={props.label} total={pages.total} />
            {(page > 1 || pages.has_more) && <Button.Group>
              <Turn label="Previous" off={page === 1} go={() => go(page - 1)} />
              <Turn label="Next" off={past || !pages.has_more} go={() => go(page + 1)} />
            </Button.Group>}
          </Group>
        </Group>
      )}
    </Stack>
  );
}

// Turn turns a page. Where there is none it keeps the focus, unlike what is disabled.
function Turn({ label, off, go }: { label: Word; off: boolean; go: () => void }) {
  return <Button size="compact-sm" variant="default" aria-disabled={off} data-disabled={off || undefined} onClick={() => off || go()}>{t(label)}</Button>;
}

// asked writes the days of filters as the API takes times: from the beginning of
// the one to the end of the other, where one looks, as the rows show them.
function asked(v: Values): Values {
  return { ...v, from: begins(v.from), to: ends(v.to) };
}

function Rows<P extends GetPath, R extends RowOf<P>>({ rows, columns, id, to, label, detail, bulk, chosen, setChosen, sort, setSort }: Props<P, R> & { rows: R[]; chosen: R[]; setChosen: (r: R[]) => void; sort: string; setSort: (s: string) => void }) {
  const navigate = useNavigate();
  const [open, setOpen] = useState<string | number | null>(null);
  const has = (r: R) => chosen.some((c) => id(c) === id(r));
  const unfold = detail ? 1 : 0;
  return (
    <div className="table" tabIndex={0} role="region" aria-label={label}>
      <Table highlightOnHover verticalSpacing="xs" role="table">
        <Table.Thead>
          <Table.Tr role="row">
            {bulk && <Table.Th role="columnheader" w={36}><Checkbox aria-label={t("Choose all")} checked={rows.every(has)} onChange={(e) => setChosen(e.currentTarget.checked ? rows : [])} /></Table.Th>}
            {columns.map((c) => <Head key={c.head} column={c} sort={sort} set={setSort} />)}
            {unfold > 0 && <Table.Th role="columnheader"><span className="unseen">{t("Details")}</span></Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((r) => {
            const key = id(r);
            const target = to?.(r);
            return [
              <Table.Tr role="row" key={key} onClick={target ? (e) => { if (!(e.target as Element).closest("a,button,input,label")) void navigate({ to: target as never }); } : undefined} style={target ? { cursor: "pointer" } : undefined}>
                {bulk && <Table.Td role="cell"><Checkbox aria-label={t("Choose {name}", { name: String(key) })} checked={has(r)} onChange={(e) => setChosen(e.currentTarget.checked ? [...chosen, r] : chosen.filter((c) => id(c) !== key))} /></Table.Td>}
                {columns.map((c) => <Table.Td role="cell" data-label={t(c.head)} key={c.head} ta={c.right ? "right" : undefined}>{c.cell(r)}</Table.Td>)}
                {unfold > 0 && <Table.Td role="cell" ta="right"><Button size="compact-sm" variant="default" aria-expanded={open === key} onClick={() => setOpen(open === key ? null : key)}>{t("Details")}</Button></Table.Td>}
              </Table.Tr>,
              detail && open === key && <Table.Tr role="row" key={`${key}-more`}><Table.Td role="cell" colSpan={columns.length + unfold + (bulk ? 1 : 0)}>{detail(r)}</Table.Td></Table.Tr>,
            ];
          })}
        </Table.Tbody>
      </Table>
    </div>
  );
}

// Head is the head of a column; one that the API sorts by is a button: up, down,
// and as it comes.
function Head<R>({ column: c, sort, set }: { column: Column<R>; sort: string; set: (s: string) => void }) {
  const by = c.sort;
  const now = !by ? undefined : sort === by ? "ascending" : sort === `-${by}` ? "descending" : "none";
  const next = now === "ascending" ? `-${by}` : now === "descending" ? "" : (by ?? "");
  return (
    <Table.Th role="columnheader" ta={c.right ? "right" : undefined} aria-sort={now}>
      {by ? <UnstyledButton fz="inherit" fw="inherit" onClick={() => set(next)}>{t(c.head)}{"\u00a0"}<span aria-hidden>{now === "ascending" ? "▲" : now === "descending" ? "▼" : "↕"}</span></UnstyledButton> : t(c.head)}
    </Table.Th>
  );
}

// SortBy is what the heads are where a narrow window has no heads.
function SortBy<R>({ columns, sort, set }: { columns: Column<R>[]; sort: string; set: (s: string) => void }) {
  const ways = columns.flatMap((c) => (c.sort ? [{ value: c.sort, label: `${t(c.head)} ▲` }, { value: `-${c.sort}`, label: `${t(c.head)} ▼` }] : []));
  return <NativeSelect hiddenFrom="sm" size="sm" label={t("Sort by")} value={sort} data={[{ value: "", label: t("newest first") }, ...ways]} onChange={(e) => set(e.currentTarget.value)} />;
}

// Filters follow the address. What was typed and not sent yet goes along with
// the next choice, and the form stays the same one, so the focus stays where it is.
function Filters({ filters, values, prefix, set, name }: { filters: Filter[]; values: Values; prefix: string; set: (c: Record<string, string>) => void; name: string }) {
  const sent = Object.fromEntries(filters.map((f) => [f.name, String(values[f.name] ?? "")]));
  const at = JSON.stringify(sent);
  const [draft, setDraft] = useState({ at, typed: sent });
  const typed = draft.at === at ? draft.typed : sent;
  const send = (v: Record<string, string>) => set(Object.fromEntries(Object.entries(v).map(([k, x]) => [prefix + k, x.trim()])));
  const input = (f: Filter) => ({ name: f.name, label: t(f.label), size: "sm" as const, value: typed[f.name] });
  const choose = (f: Filter) => (e: ChangeEvent<HTMLSelectElement>) => send({ ...typed, [f.name]: e.currentTarget.value });
  return (
    <form onSubmit={(e) => { e.preventDefault(); send(typed); }} role="search">
      <Group gap="xs" align="flex-end">
        {filters.map((f) => f.find
          ? <Pick key={f.name} find={f.find} label={t(f.label)} size="sm" value={sent[f.name] ?? ""} set={(v) => send({ ...typed, [f.name]: v })} />
          : f.choices ? <NativeSelect key={f.name} {...input(f)} data={[{ value: "", label: t("all") }, ...f.choices]} onChange={choose(f)} />
          : f.options
          ? <NativeSelect key={f.name} {...input(f)} maw={170} data={[...(f.first ? [] : [{ value: "", label: t("all") }]), ...f.options.map((o) => ({ value: o, label: named(o) }))]} onChange={choose(f)} />
          : <TextInput key={f.name} {...input(f)} type={f.type ?? "text"} w={f.type === "date" ? 142 : undefined} maw={190} onChange={(e) => setDraft({ at, typed: { ...typed, [f.name]: e.currentTarget.value } })} />)}
        <Button type="submit" size="sm" variant="default">{t("Search")}</Button>
        <SavedFilters name={name} shown={(k, v) => (filters.find((f) => prefix + f.name === k)?.options ? named(v) : v)} values={Object.fromEntries(filters.map((f) => [prefix + f.name, String(values[f.name] ?? "")]))} set={set} />
      </Group>
    </form>
  );
}

// Export walks the whole list, a page of 200 at a time, and says how far it is.
function Export<P extends GetPath, R>({ path, params, query, columns, name, total }: { path: P; params: Values; query: Values; columns: Column<R>[]; name: string; total: number }) {
  const [progress, setProgress] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const here = useRef(true); // who goes away stops it
  useEffect(() => {
    here.current = true;
    return () => { here.current = false; };
  }, []);
  const run = async () => {
    setError(null);
    const all: R[] = [];
    try {
      for (let cursor: string | undefined = ""; cursor !== undefined;) {
        setProgress(all.length);
        const p = (await get(path, params, { ...query, limit: 200, cursor })) as unknown as { data: R[] | null; pagination: { has_more: boolean; next_cursor: string | null } };
        if (!here.current) return;
        all.push(...(p.data ?? []));
        cursor = p.pagination.next_cursor ?? undefined;
      }
      const written = columns.flatMap((c) => (c.csv === false ? [] : [{ head: t(c.head), value: c.csv ?? c.cell }]));
      download(`${name}.csv`, toCSV(written.map((c) => c.head), all.map((r) => written.map((c) => c.value(r)))));
    } catch (e) {
      setError(e);
    }
    setProgress(null);
  };
  if (error) return <Failed error={error} again={() => void run()} />;
  return <Button size="compact-sm" variant="default" disabled={progress !== null} onClick={() => void run()}>{progress === null ? "CSV" : `${num(progress)} / ${num(total)}`}</Button>;
}
