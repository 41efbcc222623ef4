import { Code, Table, Text } from "@mantine/core";
import { named, t } from "../i18n";
import { Loaded, Page } from "../parts/bits";
import { Explain } from "../parts/explain";
import { useGet } from "../parts/link";

export default function Access() {
  const query = useGet("/api/tenants/authz/matrix");
  return (
    <Page title={t("Permissions")}>
      <Explain />
      <Text size="sm" c="dimmed">{t("Who may do what, as the server decides it.")}</Text>
      <Loaded query={query}>{(m) => (
        <div className="table" tabIndex={0} role="region" aria-label={t("Permissions")}>
          <Table verticalSpacing={6}>
            <Table.Thead><Table.Tr><Table.Th>{t("Call")}</Table.Th><Table.Th>{t("Permission")}</Table.Th><Table.Th>{t("Who")}</Table.Th><Table.Th>{t("Open while suspended")}</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody className="long">{(m.routes ?? []).map((r) => (
              <Table.Tr key={r.method + r.path}>
                <Table.Td data-label={t("Call")}><Code>{r.method} {r.path}</Code></Table.Td><Table.Td data-label={t("Permission")}>{r.permission}</Table.Td>
                <Table.Td data-label={t("Who")}>{(r.who ?? []).map(named).join(", ")}{r.scope && ` (${r.scope})`}</Table.Td><Table.Td data-label={t("Open while suspended")}>{r.open_while_suspended ? t("yes") : t("no")}</Table.Td>
              </Table.Tr>
            ))}</Table.Tbody>
          </Table>
        </div>
      )}</Loaded>
    </Page>
  );
}
