"""The style sheet of the pages; it stands inside each, so that a page needs no other file."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light; --ink: #1f2328; --soft: #5d6670; --rule: #d9dee3; --tint: #f4f6f8;
  --accent: #0b5c8f; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink); font: 15px/1.55 system-ui, -apple-system,
  "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 28px 26px 64px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 38px 0 8px; padding-top: 14px; border-top: 1px solid var(--rule); }
h3 { font-size: 15px; margin: 24px 0 6px; }
p { margin: 6px 0 10px; max-width: 76ch; }
.lead { font-size: 16px; color: var(--soft); max-width: 74ch; margin-bottom: 18px; }
.note, .table-note, figcaption { color: var(--soft); font-size: 13px; max-width: 84ch; }
ul, ol { padding-left: 22px; margin: 6px 0 12px; max-width: 76ch; }
li { margin: 3px 0; }
code { font: 0.88em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  background: var(--tint); padding: 1px 4px; border-radius: 3px; overflow-wrap: anywhere; }
pre { font: 12px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  background: var(--tint); padding: 10px 12px; border-radius: 5px; white-space: pre-wrap;
  overflow-wrap: anywhere; margin: 6px 0; }
.scroll { overflow-x: auto; margin: 10px 0 4px; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums;
  min-width: 40%; }
th, td { padding: 5px 9px; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--rule); }
thead th { border-bottom: 1.5px solid var(--ink); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; }
td.n, th.n { text-align: right; white-space: nowrap; }
tr.break > * { border-top: 2px solid var(--soft); }
.sub { display: block; color: var(--soft); font-size: 11px; white-space: nowrap; }
.wrap .sub { white-space: normal; } .wrap td.n .sub { white-space: nowrap; }
table.dense { width: 100%; table-layout: fixed; } .dense th:first-child { width: 112px; }
.dense thead th { white-space: normal; font-size: 12px; }
.dense th, .dense td { padding: 4px 5px; } .dense .sub { white-space: normal; font-size: 10.5px;
  overflow-wrap: anywhere; }
td code { white-space: nowrap; } td details { margin: 0; }
th code { overflow-wrap: normal; white-space: nowrap; background: none; padding: 0; }
.grey { color: var(--soft); }
.dash { color: var(--soft); cursor: help; }
.mark { color: var(--accent); font-weight: 650; }
.bar { display: block; height: 5px; margin-top: 3px; background: #b9c7d3; border-radius: 2px; }
.badge { display: inline-block; padding: 1px 8px; border-radius: 9px; font-size: 12px;
  font-weight: 600; white-space: nowrap; border: 1px solid transparent; }
.good { background: #dbeedd; color: #14532d; } .fair { background: #e3eefb; color: #17406d; }
.bad { background: #fbe3dc; color: #7c2310; } .open { background: #fdf1cf; color: #654a00; }
.none { background: #eef0f2; color: #4b5560; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 12px;
  margin: 12px 0; }
.card { border: 1px solid var(--rule); border-radius: 7px; padding: 12px 14px; }
.card .big { font-size: 23px; font-weight: 650; letter-spacing: -0.01em; display: block; }
.card .sub { white-space: normal; font-size: 12px; }
.figures { display: flex; flex-wrap: wrap; gap: 14px; margin: 12px 0; }
figure { margin: 0; flex: 1 1 270px; max-width: 420px; }
figure.wide { max-width: none; margin: 18px 0 22px; }
figure img { width: 100%; height: auto; display: block; }
details { margin: 7px 0; }
summary { cursor: pointer; font-weight: 550; }
footer { margin-top: 46px; padding-top: 10px; border-top: 1px solid var(--rule);
  color: var(--soft); font-size: 12px; }
@media print { main { max-width: none; padding: 0; } details { break-inside: avoid; } }
"""
