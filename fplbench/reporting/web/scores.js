// The scores of the shown image, for the two methods.

import { data, formatted, metricHeading, methodLabel, scoresOf, shownPositions } from "./data.js";
import { byId, make, setText } from "./dom.js";
import { onChange, setState, state } from "./state.js";

/** Which of two scores is better: "left", "right", or "" for equal ones, missing ones, and metrics without a direction. */
export function better(direction, left, right) {
  if (left === null || right === null || left === right || !direction) return "";
  return left > right === (direction === "higher") ? "left" : "right";
}

/** The arrow that says which scores are better, and its words for screen readers. */
export function directionMark(direction) {
  if (!direction) return [];
  return [make("abbr", { title: `${direction} is better`, class: "direction" }, direction === "higher" ? "\u2191" : "\u2193")];
}

function scoreOf(side, metric) {
  return scoresOf(state.noise, state[side], metric)?.[shownPositions[state.image]] ?? null;
}

function row(metric) {
  const values = { left: scoreOf("left", metric.name), right: scoreOf("right", metric.name) };
  if (values.left === null && values.right === null) return null;
  const best = better(metric.direction, values.left, values.right);
  const heading = [metricHeading(metric), "\u00a0", ...directionMark(metric.direction)];
  const name = make("button", { type: "button", class: "link" }, ...heading);
  name.setAttribute("aria-pressed", metric.name === state.metric);
  name.addEventListener("click", () => setState({ metric: metric.name }));
  const cells = ["left", "right"].map((side) => {
    return make("td", { class: best === side ? "best" : null }, formatted(values[side], metric.digits));
  });
  return make("tr", {}, make("th", { scope: "row" }, name), ...cells);
}

function noteText(rows) {
  if (!data.images.length) return "No images were stored in this page.";
  const without = ["left", "right"].filter((side) => !data.scores.values?.[state.noise]?.[state[side]]);
  const labels = [...new Set(without.map((side) => methodLabel(state[side])))];
  if (!rows.length) return `There are no scores of ${labels.length ? labels.join(" and ") : "this image"}.`;
  return labels.length ? `There are no scores of ${labels.join(" and ")}.` : "";
}

/** Set up the table of scores. */
export function startScores() {
  const update = () => {
    const rows = data.scores.metrics.map(row).filter(Boolean);
    const focused = byId("scores").contains(document.activeElement) ? state.metric : null;
    byId("score-rows").replaceChildren(...rows);
    if (focused) byId("score-rows").querySelector("[aria-pressed=true]")?.focus(); // the rows are new, the focus stays
    for (const side of ["left", "right"]) setText(byId(`score-${side}`), methodLabel(state[side]));
    setText(byId("score-note"), noteText(rows));
  };
  const shown = ["noise", "image", "left", "right", "metric"];
  onChange((changed) => shown.some((key) => changed.has(key)) && update());
  update();
}
