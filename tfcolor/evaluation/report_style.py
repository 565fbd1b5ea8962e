"""Look and behaviour of the report page: CSS and JavaScript, nothing else."""

CSS = """
:root {
  color-scheme: light dark;
  --ink: #1d1d1f; --soft: #6b6b72; --paper: #f4f4f6; --card: #ffffff;
  --rule: #e2e2e6; --good: #0a7a3f; --bad: #b3261e; --accent: #0060a8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e6e8; --soft: #9c9ca4; --paper: #111215; --card: #1b1c20;
    --rule: #303137; --good: #58c98a; --bad: #ff8a80; --accent: #6db7f2;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1240px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 36px 0 10px; }
p.lead { margin: 2px 0 20px; color: var(--soft); }
.card {
  background: var(--card); border: 1px solid var(--rule);
  border-radius: 10px; margin: 0 0 14px; overflow-x: auto;
}
table { border-collapse: collapse; width: 100%; }
th, td {
  padding: 8px 14px; text-align: right; white-space: nowrap;
  vertical-align: top;
  border-bottom: 1px solid var(--rule); font-variant-numeric: tabular-nums;
}
tr:last-child td { border-bottom: 0; }
th { font-weight: 600; font-size: 13px; color: var(--soft); }
th { white-space: normal; vertical-align: bottom; }
td.text, th.text { text-align: left; }
td small { display: block; color: var(--soft); font-size: 12px; }
ul.notes { color: var(--soft); font-size: 13px; padding-left: 18px; }
.plot img { display: block; width: 100%; min-width: 720px; }
article { padding: 12px 14px 14px; }
article header { display: flex; gap: 10px; align-items: baseline; }
article header b { overflow-wrap: anywhere; font-weight: 600; }
article header span { color: var(--soft); font-size: 13px; }
.strip {
  display: grid; gap: 8px; margin-top: 8px;
  grid-template-columns: repeat(var(--columns), minmax(110px, 320px));
}
figure { margin: 0; }
figure img {
  width: 100%; height: auto; display: block; border-radius: 5px;
}
figcaption { font-size: 13px; padding-top: 4px; line-height: 1.35; }
figcaption span { display: block; color: var(--soft); font-size: 12px; }
.up { color: var(--good); }
.down { color: var(--bad); }
label { color: var(--soft); font-size: 14px; }
select {
  font: inherit; color: var(--ink); background: var(--card);
  border: 1px solid var(--rule); border-radius: 6px; padding: 3px 8px;
}
code { font-size: 13px; }
@media print { .card { break-inside: avoid; } }
"""

# Sorts the rows by a number or a text each of them carries.
JAVASCRIPT = """
const all = document.getElementById("all");
document.getElementById("sort").addEventListener("change", (event) => {
  const [key, direction] = event.target.value.split(" ");
  const sign = direction === "up" ? 1 : -1;
  const rows = [...all.children];
  rows.sort((x, y) => {
    const a = x.dataset[key], b = y.dataset[key];
    return sign * (key === "name" ? a.localeCompare(b) : a - b);
  });
  all.append(...rows);
});
"""
