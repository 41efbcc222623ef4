import { useNavigate, useSearch } from "@tanstack/react-router";

export type Search = Record<string, string>;

// Searches are plain text in the address: no quotes, no types.
export const parseSearch = (s: string): Search => Object.fromEntries(new URLSearchParams(s));

export function stringifySearch(s: Record<string, unknown>): string {
  const q = new URLSearchParams(Object.entries(s).filter(([, v]) => v !== undefined && v !== "").map(([k, v]) => [k, String(v)])).toString();
  return q ? `?${q}` : "";
}

// useAddress is the state of a page that the address keeps.
export function useAddress(): [Search, (change: Search, push?: boolean) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const set = (change: Search, push = false) => void navigate({ to: ".", search: clean({ ...search, ...change }) as never, replace: !push });
  return [search, set];
}

const clean = (s: Search): Search => Object.fromEntries(Object.entries(s).filter(([, v]) => v !== ""));
