import type { QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Schemas } from "./api/client";
import { accessToken, leave } from "./api/session";

type Event = { notification: Schemas["NotifyNotification"] | null; unread: number; changed: boolean };

const calm = 5_000; // ms between two times that what the page shows is asked anew

// follow reads the live stream until it is told to stop. It resumes after the
// last event it saw, so nothing is lost in between.
async function follow(stop: AbortSignal, heard: (e: Event) => void) {
  let last = "";
  let ended = false; // the session of the token that was used
  for (let pause = 1000; !stop.aborted; pause = Math.min(pause * 2, 30_000)) {
    try {
      const token = await accessToken(ended);
      if (!token) {
        leave();
        throw new Error("nobody is signed in");
      }
      const headers = { Authorization: `Bearer ${token}`, ...(last ? { "Last-Event-ID": last } : {}) };
      const res = await fetch("/api/tenants/notifications/stream", { headers, signal: stop });
      ended = res.status === 401;
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

// refresher asks what the page shows anew: at once, then now and then while
// changes go on, and not before somebody looks again.
function refresher(client: QueryClient) {
  let due = false;
  let resting: number | undefined;
  const go = () => {
    if (!due || resting !== undefined || document.hidden) return;
    due = false;
    resting = window.setTimeout(() => {
      resting = undefined;
      go();
    }, calm);
    void client.invalidateQueries();
  };
  document.addEventListener("visibilitychange", go);
  return {
    ask: () => {
      due = true;
      go();
    },
    end: () => {
      document.removeEventListener("visibilitychange", go);
      clearTimeout(resting);
    },
  };
}

// useUnread follows the own notifications: the count comes with every push, so
// tabs agree; and what the page shows is asked anew when something changed.
export function useUnread(client: QueryClient): number | null {
  const [unread, setUnread] = useState<number | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    const page = refresher(client);
    void follow(stop.signal, (e) => {
      setUnread(e.unread);
      if (e.notification || e.changed) page.ask();
      else void client.invalidateQueries({ queryKey: ["/api/tenants/notifications"] });
    });
    return () => {
      stop.abort();
      page.end();
    };
  }, [client]);
  return unread;
}
