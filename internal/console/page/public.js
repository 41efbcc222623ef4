// What the light pages can do without, made more pleasant: the token of a link
// goes into its field, and a short name is checked while it is typed.
const row = document.querySelector("[data-token]");
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (row && token) {
  row.querySelector("input").value = token;
  row.hidden = true;
  history.replaceState(null, "", location.pathname + location.search);
}

const slug = document.querySelector("[data-check]");
let waiting;
slug?.addEventListener("input", () => {
  clearTimeout(waiting);
  const told = document.getElementById(`${slug.name}-wrong`);
  const asked = slug.value.trim();
  told.textContent = "";
  if (!asked) return;
  waiting = setTimeout(async () => {
    const res = await fetch(`/api/tenants/register/slug?slug=${encodeURIComponent(asked)}`).catch(() => null);
    if (!res?.ok || slug.value.trim() !== asked) return;
    const a = await res.json();
    told.classList.toggle("free", a.available);
    const say = a.available ? slug.dataset.free : a.reason === "slug_taken" ? slug.dataset.taken : slug.dataset.cannot;
    told.textContent = a.suggestions.length ? `${say} ${slug.dataset.others}` : say;
    for (const s of a.suggestions) {
      const b = document.createElement("button");
      b.type = "button";
      b.textContent = s;
      b.onclick = () => {
        slug.value = s;
        slug.dispatchEvent(new Event("input"));
        slug.focus();
      };
      told.append(b);
    }
  }, 350);
});
