import { num } from "../i18n";

// Bars compares a few numbers by length. It is a table to whoever listens.
export function Bars({ rows, caption }: { rows: { label: string; value: number; note?: string }[]; caption: string }) {
  const most = Math.max(1, ...rows.map((r) => r.value));
  return (
    <table className="bars">
      <caption className="unseen">{caption}</caption>
      <tbody>
        {rows.map((r) => (
          <tr key={r.label}>
            <th scope="row">{r.label}</th>
            <td><svg height="14" width="100%" aria-hidden><rect width={`${(r.value / most) * 100}%`} height="14" rx="2" fill="var(--line-brand)" /></svg></td>
            <td className="value">{num(r.value)}{r.note && ` · ${r.note}`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
