// The table of all means. A cell selects its noise, its method and, if images have scores of it, its metric, and moves to the
// image.

import { data, formatted, meanOf, metricHeading } from "./data.js";
import { byId, make } from "./dom.js";
import { directionMark } from "./scores.js";
import { onChange, setState, state } from "./state.js";

let rows = []; // {noise, method, element}

function heading(label, extra, ascending) {
  const button = make("button", { type: "button" }, label, ...extra);
  return make("th", { scope: "col", "data-ascending": ascending }, button);
}

function headings() {
  const metrics = data.scores.metrics.map((metric) => {
    return heading(metricHeading(metric), [" ", ...directionMark(metric.direction)], metric.direction === "lower");
  });
  return [heading("Noise", [], true), heading("Method", [], true), ...metrics];
}

// The best means of a noise, {metric: number}; the clean image does not compete.
function bestOf(noise) {
  const best = {};
  for (const { name, direction } of data.scores.metrics) {
    const values = data.methods
      .filter((method) => method.name !== "clean")
      .map((method) => meanOf(noise, method.name, name))
      .filter((value) => value !== null);
    if (direction && values.length > 1) best[name] = Math[direction === "higher" ? "max" : "min"](...values);
  }
  return best;
}

function cell(attributes, ...content) {
  return make("td", { tabindex: "-1", ...attributes }, ...content);
}

function rowOf(noise, noisePlace, method, methodPlace, best) {
  const first = [
    cell({ "data-sort": noisePlace, class: "text" }, noise.title || noise.label),
    cell({ "data-sort": methodPlace, class: "text" }, method.label),
  ];
  const means = data.scores.metrics.map(({ name, digits }) => {
    const mean = meanOf(noise.name, method.name, name);
    const isBest = mean !== null && mean === best[name];
    return cell({ "data-sort": mean ?? "", "data-metric": name, class: isBest ? "best" : null }, formatted(mean, digits));
  });
  const element = make("tr", {}, ...first, ...means);
  return { noise: noise.name, method: method.name, element };
}

function buildRows() {
  return data.noises.flatMap((noise, i) => {
    const best = bestOf(noise.name);
    return data.methods
      .map((method, j) => ({ method, j }))
      .filter(({ method }) => data.scores.means?.[noise.name]?.[method.name])
      .map(({ method, j }) => rowOf(noise, i, method, j, best));
  });
}

function updateRows() {
  const only = byId("rows").value === "shown";
  for (const { noise, method, element } of rows) {
    const here = noise === state.noise;
    element.hidden = only && !here;
    element.classList.toggle("left", here && method === state.left);
    element.classList.toggle("right", here && method === state.right);
  }
}

function select(target) {
  const found = rows.find(({ element }) => element === target.parentNode);
  if (!found) return;
  focusCell(target);
  setState({ noise: found.noise, right: found.method, metric: target.dataset.metric ?? state.metric });
  target.blur(); // the arrow keys belong to the images again
  byId("workspace").scrollIntoView({ block: "start" });
}

// One cell at a time is reached by the tab key; the arrow keys go to the others.
function focusCell(target) {
  for (const other of byId("means").querySelectorAll("td[tabindex='0']")) other.tabIndex = -1;
  target.tabIndex = 0;
  target.focus();
}

function onKey(event) {
  const target = event.target;
  if (target.tagName !== "TD") return;
  if (event.key === "Enter" || event.key === " ") select(target);
  else {
    const next = neighbour(target, event.key);
    if (!next) return;
    focusCell(next);
  }
  event.preventDefault();
}

function neighbour(target, key) {
  const shown = [...target.closest("tbody").rows].filter((row) => !row.hidden);
  const row = shown.indexOf(target.parentNode);
  if (key === "ArrowLeft") return target.previousElementSibling;
  if (key === "ArrowRight") return target.nextElementSibling;
  if (key === "ArrowUp") return shown[row - 1]?.cells[target.cellIndex];
  if (key === "ArrowDown") return shown[row + 1]?.cells[target.cellIndex];
  return null;
}

/** Set up the table. */
export function startTable() {
  const table = byId("means");
  rows = buildRows();
  table.tHead.append(make("tr", {}, ...headings()));
  table.tBodies[0].append(...rows.map(({ element }) => element));
  if (rows.length) rows[0].element.cells[0].tabIndex = 0;
  const notes = rows.length ? (data.notes ?? []) : ["There are no means."];
  byId("means-note").append(...notes.map((note) => make("p", {}, note)));
  // sortable-tablesort listens at the document and starts with the largest value, unless the table says otherwise.
  const direct = (event) => {
    const column = event.target.closest?.("th");
    if (column) table.classList.toggle("asc", column.hasAttribute("data-ascending"));
  };
  table.addEventListener("click", direct, { capture: true });
  table.addEventListener("click", (event) => event.target.closest("td") && select(event.target.closest("td")));
  table.addEventListener("keydown", onKey);
  byId("rows").addEventListener("change", updateRows);
  onChange((changed) => ["noise", "left", "right"].some((key) => changed.has(key)) && updateRows());
  updateRows();
}
