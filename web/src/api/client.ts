import createClient, { type Middleware } from "openapi-fetch";
import type { PathsWithMethod } from "openapi-typescript-helpers";
import type { components, paths } from "./schema";
import { accessToken, leave } from "./session";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"] & { suggestions?: string[] }; // slugs to take instead

// A call goes out with the token; one that ended meanwhile is renewed once.
const signed: Middleware = {
  async onRequest({ request }) {
    const token = await accessToken();
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
};

async function again(input: Request): Promise<Response> {
  const spare = input.clone();
  const res = await fetch(input);
  if (res.status !== 401) return res;
  const token = await accessToken(true);
  if (!token) {
    leave();
    return res;
  }
  spare.headers.set("Authorization", `Bearer ${token}`);
  return fetch(spare);
}

export const api = createClient<paths>({ fetch: again });
api.use(signed);

// Failure is what a call throws: the problem that the server answered, or that
// it did not answer.
export class Failure extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

function failure(error: unknown, res: Response): Failure {
  const p = error as Partial<Problem> | undefined;
  return new Failure({
    type: "about:blank", title: p?.title ?? res.statusText, status: res.status, code: p?.code ?? "unreadable",
    detail: p?.detail ?? "The server's answer cannot be read.", request_id: p?.request_id ?? res.headers.get("X-Request-Id") ?? "", errors: p?.errors ?? [], suggestions: p?.suggestions,
  });
}

export function problemOf(e: unknown): Problem {
  if (e instanceof Failure) return e.problem;
  return { type: "about:blank", title: "", status: 0, code: "unreachable", detail: "The server does not answer.", request_id: "", errors: [] };
}

export type Values = Record<string, string | number | boolean | undefined>;
export type GetPath = PathsWithMethod<paths, "get">;
export type Change = "post" | "put" | "delete";
type JSONOf<T> = T extends { content: { "application/json": infer B } } ? B : never;
type Success<O> = O extends { responses: infer R } ? JSONOf<R extends { 200: infer S } ? S : R extends { 201: infer S } ? S : never> : never;
export type Answer<P extends GetPath> = paths[P] extends { get: infer O } ? Success<O> : never;
export type BodyOf<M extends Change, P extends PathsWithMethod<paths, M>> = paths[P] extends Record<M, infer O>
  ? O extends { requestBody: infer B } ? JSONOf<B> : O extends { requestBody?: infer B } ? JSONOf<NonNullable<B>> : undefined
  : never;

// get reads; absent query values are left out.
export async function get<P extends GetPath>(path: P, params: Values = {}, query: Values = {}): Promise<Answer<P>> {
  const q = Object.fromEntries(Object.entries(query).filter(([, v]) => v !== undefined && v !== ""));
  const { data, error, response } = await api.GET(path as never, { params: { path: params, query: q } } as never) as { data?: unknown; error?: unknown; response: Response };
  if (data === undefined) throw failure(error, response);
  return data as Answer<P>;
}

// tagged reads with the ETag, which tells one version from another.
export async function tagged(path: GetPath, params: Values = {}): Promise<{ data: object; etag: string | undefined }> {
  const { data, error, response } = await api.GET(path as never, { params: { path: params } } as never) as { data?: object; error?: unknown; response: Response };
  if (data === undefined) throw failure(error, response);
  return { data, etag: response.headers.get("ETag") ?? undefined };
}

export type Call<M extends Change = Change, P extends PathsWithMethod<paths, M> = PathsWithMethod<paths, M>> = {
  method: M;
  path: P;
  params?: Values;
  query?: Values;
  body?: BodyOf<M, P>;
};

// call checks a call where it is written down.
export function call<M extends Change, P extends PathsWithMethod<paths, M>>(c: Call<M, P>): Call {
  return c as unknown as Call;
}

// send changes something. The key makes a repeated send harmless.
export async function send(c: Call, more: { dryRun?: boolean; key?: string; match?: string } = {}): Promise<unknown> {
  const headers = { ...(more.key && !more.dryRun && c.method === "post" ? { "Idempotency-Key": more.key } : {}), ...(more.match ? { "If-Match": more.match } : {}) };
  const query = { ...c.query, ...(more.dryRun ? { dry_run: true } : {}) };
  const method = c.method.toUpperCase() as "POST" | "PUT" | "DELETE";
  const f = api[method] as unknown as (path: string, init: object) => Promise<{ data?: unknown; error?: unknown; response: Response }>;
  const { data, error, response } = await f(c.path, { params: { path: c.params ?? {}, query }, headers, body: c.body });
  if (!response.ok) throw failure(error, response);
  return data;
}

// Effects is whom a change would hit, and who would be over what; what is not there is none.
type Counted = "organizations" | "users" | "domains" | "credits" | "admins" | "api_keys" | "invitations" | "plugins" | "access";
export type Effects = Partial<Record<Counted, number>> & { over?: { name: string; field: string; limit: number; used: number }[] };

// rehearse tells whom a change would hit.
export async function rehearse(c: Call): Promise<Effects> {
  return ((await send(c, { dryRun: true })) as { effects: Effects }).effects;
}

export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

// upload sends a picture as it is.
export async function upload(path: string, file: Blob): Promise<Schemas["LogoStored"]> {
  const res = await again(new Request(path, { method: "POST", body: file, headers: { Authorization: `Bearer ${await accessToken()}`, "Content-Type": "application/octet-stream" } }));
  const answer: unknown = await res.json().catch(() => undefined);
  if (!res.ok) throw failure(answer, res);
  return answer as Schemas["LogoStored"];
}

// asCSV reads what the server writes as CSV.
export async function asCSV(path: GetPath, params: Values = {}, query: Values = {}): Promise<string> {
  const ask = async () => new Request(address(path, params, query), { headers: { Accept: "text/csv", Authorization: `Bearer ${await accessToken()}` } });
  const res = await again(await ask());
  if (!res.ok) throw failure(await res.json().catch(() => undefined), res);
  return res.text();
}

// address is where a call goes, written out.
export function address(path: string, params: Values = {}, query: Values = {}): string {
  const at = path.replace(/\{(\w+)\}/g, (_, n: string) => encodeURIComponent(String(params[n] ?? "")));
  const q = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== undefined && v !== "").map(([k, v]) => [k, String(v)])).toString();
  return location.origin + at + (q ? `?${q}` : "");
}

const quoted = (s: string) => `'${s.replaceAll("'", "'\\''")}'`;

// curl writes a call as a command line; the token is a variable of the shell.
export function curl(method: string, url: string, body?: unknown): string {
  const parts = ["curl", "-H \"Authorization: Bearer $TOKEN\""];
  if (method !== "GET") parts.push(`-X ${method}`);
  if (body !== undefined) parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  return [...parts, quoted(url)].join(" ");
}
