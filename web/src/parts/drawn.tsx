import { type ComponentProps, lazy, Suspense } from "react";
import { Waiting } from "./bits";
import type { Plot } from "./plot";

const Loading = lazy(() => import("./plot").then((m) => ({ default: m.Plot })));

// Drawn is a Plot, which is loaded when the first one is shown.
export function Drawn(props: ComponentProps<typeof Plot>) {
  return <Suspense fallback={<Waiting />}><Loading {...props} /></Suspense>;
}
