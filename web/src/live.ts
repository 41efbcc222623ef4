import type { QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Schemas } from "./api/client";
import { accessToken } from "./api/session";

type Event = { notification: Schemas["NotifyNotification"] | null; unread: number };

// follow reads the live stream until it is told to stop. It resumes after the
// last event it saw, so nothing is lost in between.
async function follow(stop: AbortSignal, heard: (e: Event) => void) {
  let last = "";
  for (let pause = 1000; !stop.aborted; pause = Math.min(pause * 2, 30_000)) {
    try {
      const token = await accessToken();
      if (!token) return;
      const headers = { Authorization: `Bearer ${token}`, ...(last ? { "Last-Event-ID": last } : {}) };
      const res = await fetch("/api/tenants/notifications/stream", { headers, signal: stop });
      if (res.ok && res.body) {
        pause = 1000;
        await read(res.body, (id, data) => {
          if (id) last = id;
          heard(JSON.parse(data) as Event);
        });
      }
    } catch {
      if (stop.aborted) return;
    }
    await new Promise((again) => setTimeout(again, pause));
  }
}

// read takes a stream of Server-Sent Events apart.
async function read(body: ReadableStream<Uint8Array>, event: (id: string, data: string) => void) {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>).getReader();
  for (let buffer = ""; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (buffer + value).split("\n\n");
    buffer = blocks.pop() ?? "";
    for (const b of blocks) {
      const lines = b.split("\n");
      const field = (name: string) => lines.filter((l) => l.startsWith(`${name}: `)).map((l) => l.slice(name.length + 2)).join("\n");
      if (field("data")) event(field("id"), field("data"));
    }
  }
}

// useUnread follows the own notifications: the count comes with every push, so
// tabs agree; and lists on the page are asked anew when something happened.
export function useUnread(client: QueryClient): number | null {
  const [unread, setUnread] = useState<number | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    void follow(stop.signal, (e) => {
      setUnread(e.unread);
      if (e.notification) void client.invalidateQueries();
      else void client.invalidateQueries({ queryKey: ["/api/tenants/notifications"] });
    });
    return () => stop.abort();
  }, [client]);
  return unread;
}
