"""The style sheet of the pages: readable on a phone, in the dark, and on paper."""

STYLE = """
:root { color-scheme: light dark; --text: #1a1a1a; --page: #fff; --faint: #555; --line: #999; --strong: #333;
  --good: #e3efdb; --bad: #fbe3e0; --bar: #f4f5f7; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e4e4; --page: #16181b; --faint: #b0b0b0; --line: #6d6d6d;
  --strong: #bbb; --good: #22402b; --bad: #542a26; --bar: #22262b; --link: #8cc4ff; } }
html { scroll-padding-top: 3.2rem; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto; padding: 0 1rem; color: var(--text);
  background: var(--page); overflow-wrap: break-word; }
a { color: var(--link); }
h1 { font-size: 1.7rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .8rem; border-bottom: 1px solid var(--line); }
h3 { margin: 1.8rem 0 .4rem; font-size: 1.1rem; }
nav.contents { position: sticky; top: 0; z-index: 2; margin: 0 -1rem 1rem; padding: 0 1rem; background: var(--bar); }
nav.contents ul { display: flex; gap: 1.1rem; margin: 0; padding: .55rem 0; list-style: none; overflow-x: auto;
  white-space: nowrap; }
p.links { font-size: 14px; } p.links a { margin-right: 1rem; }
dl.glance { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.2rem; max-width: 66rem; }
dl.glance dt { font-weight: 600; } dl.glance dd { margin: 0; min-width: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; margin: .6rem 0; }
p.caption { margin: 1rem 0 .3rem; font-size: 14px; max-width: 62rem; }
ul.note { font-size: 13px; max-width: 62rem; padding-left: 1.2rem; }
th, td { padding: .22rem .4rem; text-align: right; white-space: nowrap; vertical-align: top; }
thead th { white-space: normal; }
thead > tr > * { border-top: 2px solid var(--strong); border-bottom: 1px solid var(--strong); vertical-align: bottom; }
tbody tr:first-child > * { border-top: 1px solid var(--line); }
tbody:last-child { border-bottom: 2px solid var(--strong); }
tbody th, td.text, th.text { text-align: left; font-weight: normal; } th.text { white-space: nowrap; }
tbody th.block { font-weight: 600; white-space: normal; max-width: 6.5rem; }
tbody th:not(.block) { position: sticky; left: 0; background: var(--page); }
td.best { font-weight: 700; } td.best, td.better { background: var(--good); } td.worse { background: var(--bad); }
td sup { font-size: 9px; line-height: 0; }
td small { display: block; color: var(--faint); font-weight: 400; font-size: 11px; }
details { margin: .5rem 0; } summary { cursor: pointer; padding: .2rem 0; }
pre { overflow-x: auto; font-size: 12px; }
figure { margin: 1.2rem 0; } figure img { max-width: 100%; height: auto; background: #fff; }
figcaption { color: var(--faint); font-size: 14px; max-width: 62rem; }
.note { color: var(--faint); } code { font-size: 13px; }
@media (max-width: 40rem) {
  body { margin: 1rem auto; } h1 { font-size: 1.35rem; }
  dl.glance { display: block; } dl.glance dd { margin: 0 0 .7rem; }
  th, td { padding: .3rem .35rem; } tbody th:not(.block) { white-space: normal; min-width: 5rem; }
  tbody th.block { max-width: 4.5rem; }
}
@media print {
  :root { color-scheme: light; --text: #000; --page: #fff; --faint: #333; --line: #777; --strong: #000; --good: #eee;
    --bad: #ddd; --link: #000; }
  @page { size: A4 landscape; margin: 12mm; }
  body { font-size: 9.5pt; margin: 0; padding: 0; max-width: none; } p.caption, ul.note, figcaption { font-size: 8.5pt; }
  h1 { margin: 0; } h2 { margin: .6rem 0; } dl.glance { gap: .3rem 1rem; } p.caption, ul.note, dl.glance { max-width: none; }
  nav.contents, p.links { display: none; }
  .scroll { overflow: visible; } table, td small { font-size: 7.5pt; } td small { font-size: 6.5pt; }
  th, td { padding: .12rem .25rem; } tbody th:not(.block) { position: static; }
  h2 { break-before: page; } h2.first { break-before: auto; } h2, h3, summary, p:has(+ ul), p:has(+ .scroll) {
    break-after: avoid; }
  tr, figure { break-inside: avoid; } figure img { max-height: 165mm; width: auto; }
  details.numbers::details-content { content-visibility: visible; display: block; height: auto; }
}
"""
