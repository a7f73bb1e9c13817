"""The style sheet of the books' report: for a screen and for A4 paper."""

STYLE = """
:root { color-scheme: light; --ink: #1c2430; --soft: #5b6675; --rule: #d9dee5; --paper: #fff;
  --total: #274c77; --up: #2a8c6e; --down: #c2553a; --used: #4a7fb5; --lapse: #d9a03f;
  --other: #9aa3af; }
* { box-sizing: border-box; }
body { margin: 0; background: #f2f4f7; color: var(--ink); font: 15px/1.55 system-ui, -apple-system,
  "Segoe UI", "Hiragino Sans", "Noto Sans JP", "Noto Sans CJK JP", "Yu Gothic", sans-serif; }
main { max-width: 880px; margin: 24px auto; padding: 36px 44px; background: var(--paper);
  border-radius: 8px; }
h1 { font-size: 25px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 38px 0 12px; padding-bottom: 6px;
  border-bottom: 2px solid var(--ink); }
h3 { font-size: 14px; margin: 24px 0 4px; }
header p { margin: 0; color: var(--soft); }
header .verdict { margin-top: 14px; padding: 8px 12px; border-left: 4px solid; color: var(--ink); }
.right { border-color: var(--up) !important; background: #eef7f3; }
.wrong { border-color: var(--down) !important; background: #fdf0ec; font-weight: 600; }
.tiles { display: grid; grid-template-columns: 1.5fr repeat(4, 1fr); gap: 10px; margin: 22px 0 0; }
.tiles div { border: 1px solid var(--rule); border-radius: 6px; padding: 10px 12px; min-width: 0; }
.tiles dt { color: var(--soft); font-size: 12.5px; }
.tiles dd { margin: 2px 0 0; font-size: 21px; font-weight: 650;
  font-variant-numeric: tabular-nums; }
.tiles p { margin: 0; color: var(--soft); font-size: 12.5px; }
table { width: 100%; border-collapse: collapse; margin: 10px 0; font-size: 13.5px; }
th { text-align: left; font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--soft);
  padding: 5px 8px; vertical-align: bottom; }
td { border-bottom: 1px solid var(--rule); padding: 5px 8px; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th.n { white-space: normal; }
tr.total td { font-weight: 650; border-bottom-color: var(--soft); }
.small, footer { color: var(--soft); font-size: 12.5px; }
footer { margin-top: 34px; padding-top: 10px; border-top: 1px solid var(--rule); }
.legend { margin: 0; font-size: 12.5px; color: var(--soft); }
.legend span { margin-right: 16px; white-space: nowrap; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 2px;
  margin-right: 5px; }
svg { display: block; width: 100%; height: auto; margin: 6px 0; }
svg text { font: 11.5px system-ui, -apple-system, "Segoe UI", "Hiragino Sans", "Noto Sans JP",
  "Noto Sans CJK JP", "Yu Gothic", sans-serif; fill: var(--soft);
  font-variant-numeric: tabular-nums; }
svg text.value { fill: var(--ink); }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
.grid { stroke: var(--rule); }
.zero { stroke: var(--soft); }
.link { stroke: var(--soft); stroke-dasharray: 2 2; }
rect.total { fill: var(--total); }
rect.up, rect.granted { fill: var(--up); }
rect.down { fill: var(--down); }
rect.used { fill: var(--used); }
rect.lapse { fill: var(--lapse); }
rect.other { fill: var(--other); }
i.granted { background: var(--up); }
i.used { background: var(--used); }
i.lapse { background: var(--lapse); }
i.other { background: var(--other); }
.fill { fill: var(--total); opacity: 0.13; }
.stroke { fill: none; stroke: var(--total); stroke-width: 2; stroke-linejoin: round; }
.dot { fill: var(--total); }
@media screen and (max-width: 700px) {
  main { margin: 0; padding: 20px 16px; border-radius: 0; }
  .tiles { grid-template-columns: 1fr 1fr; }
  section { overflow-x: auto; }
  svg, table { min-width: 560px; }
}
@page { size: A4; margin: 14mm 13mm; }
@media print {
  body { background: none; font-size: 10.5pt; }
  main { max-width: none; margin: 0; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { margin-top: 22px; }
  h2, h3 { break-after: avoid; }
  svg, table, .tiles { break-inside: avoid; }
  table { font-size: 9.5pt; }
}
"""
