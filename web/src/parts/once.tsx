import { Button } from "@mantine/core";
import { type ReactNode, useLayoutEffect, useRef } from "react";

// Once is a button that goes away with what it did. Where it had the focus, the
// next of its kind gets it, or the page, so that the keyboard goes on from there.
export function Once({ act, children }: { act: () => void; children: ReactNode }) {
  const ref = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const gone = ref.current;
    return () => {
      if (!gone || document.activeElement !== gone) return;
      const all = [...document.querySelectorAll<HTMLElement>("[data-once]")];
      const at = all.indexOf(gone);
      (all[at + 1] ?? all[at - 1] ?? document.getElementById("main"))?.focus({ preventScroll: true });
    };
  }, []);
  return <Button ref={ref} data-once size="compact-sm" variant="default" onClick={act}>{children}</Button>;
}
