import { createRootRoute, createRoute, createRouter, lazyRouteComponent, type RouteComponent } from "@tanstack/react-router";
import { t } from "./i18n";
import { parseSearch, type Search, stringifySearch } from "./parts/address";
import { Failed, Page, Waiting } from "./parts/bits";
import { Go } from "./parts/link";
import { Shell } from "./shell";

// Each page is a file of its own, loaded when it is opened.
const pages: Record<string, () => Promise<{ default: RouteComponent }>> = {
  "/": () => import("./pages/home"),
  "/requests": () => import("./pages/requests"),
  "/requests/$id": () => import("./pages/request"),
  "/groups": () => import("./pages/groups"),
  "/admins": () => import("./pages/admins"),
  "/admins/$id": () => import("./pages/admin"),
  "/organizations": () => import("./pages/organizations"),
  "/organizations/$id": () => import("./pages/organization"),
  "/transactions/$id": () => import("./pages/transaction"),
  "/accounts/$id": () => import("./pages/account"),
  "/meters": () => import("./pages/meters"),
  "/system": () => import("./pages/system"),
  "/plugins": () => import("./pages/plugins"),
  "/audit": () => import("./pages/audit"),
  "/notifications": () => import("./pages/notifications"),
  "/settings": () => import("./pages/settings"),
  "/keys": () => import("./pages/keys"),
  "/access": () => import("./pages/access"),
  "/profile": () => import("./pages/profile"),
};

// loaded is the file of a page. Where it is not had because nobody answers, that is
// said on the page; only where somebody does is it another version's, which the
// router loads anew.
const loaded = (load: () => Promise<{ default: RouteComponent }>) => () => load().catch(async (e: unknown) => {
  const answers = await fetch(location.pathname, { method: "HEAD" }).then((r) => r.ok, () => false);
  throw answers ? e : new Error("no answer");
});

function Absent() {
  return <Page title={t("There is no such page")}><p><Go to="/">{t("To the start")}</Go></p></Page>;
}

export function makeRouter() {
  const root = createRootRoute({ component: Shell, notFoundComponent: Absent, validateSearch: (s) => s as Search });
  const routes = Object.entries(pages).map(([path, load]) => createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(loaded(load)) }));
  return createRouter({
    routeTree: root.addChildren(routes), basepath: "/app", parseSearch, stringifySearch, defaultPreload: "intent",
    scrollRestoration: true, defaultPendingComponent: Waiting, defaultErrorComponent: ({ error }) => <Page title={t("This cannot be shown")}><Failed error={error} again={() => location.reload()} /></Page>,
  });
}
