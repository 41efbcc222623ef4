import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type Answer, get, type GetPath, type Values } from "../api/client";

// Routed is the router's link where Mantine wants an element.
export const Routed = Link as unknown as "a";

// Go is a link to a page of the application.
export function Go({ to, search, children }: { to: string; search?: Record<string, string>; children: ReactNode }) {
  return <Anchor underline="always" fz="inherit" component={Routed} {...{ to, search } as object}>{children}</Anchor>;
}

// useGet reads something of the API and keeps it.
export function useGet<P extends GetPath>(path: P, params: Values = {}, query: Values = {}, enabled = true) {
  return useQuery<Answer<P>>({ queryKey: [path, params, query], queryFn: () => get(path, params, query), enabled });
}

// useTotal counts the rows of a list.
export function useTotal(path: GetPath, query: Values = {}, enabled = true): number | undefined {
  const q = useGet(path, {}, { ...query, limit: 1 }, enabled);
  return (q.data as { pagination?: { total: number } } | undefined)?.pagination?.total;
}
