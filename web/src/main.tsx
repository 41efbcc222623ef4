import "@mantine/core/styles.css";
import "./app.css";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { type ReactNode, useEffect, useMemo } from "react";
import { createRoot } from "react-dom/client";
import { Failure, get, problemOf } from "./api/client";
import { accessToken, belongsTo, leave } from "./api/session";
import { speak } from "./i18n";
import { type Me, rightsOf, RightsProvider } from "./me";
import { Failed } from "./parts/bits";
import { makeRouter } from "./routes";
import { type Brand, BrandProvider, primaryOf, themeOf, variablesOf } from "./theme";

const island = JSON.parse(document.getElementById("island")?.textContent ?? "{}") as { branding: Brand; lang: string };
const root = createRoot(document.getElementById("root") as HTMLElement);

const client = new QueryClient({
  defaultOptions: { queries: { networkMode: "always", staleTime: 5_000, retry: (n, e) => n < 2 && (!(e instanceof Failure) || e.problem.status >= 500) } },
});

// Rights follows who one is: a suspension or another role shows at once.
function Rights({ first, children }: { first: Me; children: ReactNode }) {
  const { data } = useQuery({ queryKey: ["/api/auth/me", {}, {}], queryFn: () => get("/api/auth/me"), initialData: first });
  const rights = useMemo(() => rightsOf(data), [data]);
  return <RightsProvider value={rights}>{children}</RightsProvider>;
}

const router = makeRouter();

// Root follows the brand: what somebody saves of it shows at once.
function Root({ first, me }: { first: Brand; me: Me }) {
  const { data: brand } = useQuery({ queryKey: ["/api/tenants/branding/current", {}, {}, "branding"], queryFn: async () => (await get("/api/tenants/branding/current")).branding as Brand, initialData: first }, client);
  useEffect(() => {
    document.querySelector("link[rel=icon]")?.setAttribute("href", brand.favicon_url ?? "/icon.svg");
    document.querySelector("meta[name=theme-color]")?.setAttribute("content", primaryOf(brand));
  }, [brand]);
  return (
    <MantineProvider theme={themeOf(brand)} cssVariablesResolver={variablesOf(brand)} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <BrandProvider value={brand}><Rights first={me}><RouterProvider router={router} /></Rights></BrandProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}

// begin shows nothing of the application before it is known who is there and
// under whose brand.
async function begin() {
  try {
    const [token] = await Promise.all([accessToken(), speak(island.lang)]);
    if (!token) return leave();
    const [me, current] = await Promise.all([get("/api/auth/me"), get("/api/tenants/branding/current").catch(() => island)]);
    belongsTo(me.user.id);
    root.render(<Root first={current.branding} me={me} />);
  } catch (e) {
    if (problemOf(e).status === 401) return leave();
    root.render(<MantineProvider cssVariablesResolver={variablesOf(island.branding)} theme={themeOf(island.branding)} defaultColorScheme="auto"><main style={{ padding: "1rem" }}><Failed error={e} again={() => location.reload()} /></main></MantineProvider>);
  }
}

void begin();
