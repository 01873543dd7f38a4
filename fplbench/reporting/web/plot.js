// The plot of one metric over all test images. A click near an image that the page shows selects it.
//
// Lines over hundreds of images, which have no order, would only be a band. Then the images are ranked by the scores of the
// first method, which is drawn as a line, and the others as points around it.

import { data, metricHeading, methodLabel, named, noiseTitle, plottable, scoresOf, shownPositions } from "./data.js";
import { byId, colour, make, setText } from "./dom.js";
import { drawMark, drawMarks, drawShown, STYLES } from "./marks.js";
import { onChange, setState, state } from "./state.js";

const NEAR = 24; // CSS pixels
const MANY = 200; // images
const FONT = "11px system-ui, sans-serif";
let plot = null;
let order = []; // of the test images along the axis, as positions among them

// The methods that are drawn: both sides, and for comparison the unprocessed image and the run's reference.
function plotted() {
  const candidates = [["left", state.left], ["right", state.right], ["noisy", "noisy"], ["reference", data.reference]];
  const seen = new Set();
  return candidates.filter(([, method]) => {
    const scores = scoresOf(state.noise, method, state.metric);
    const fresh = scores?.some((score) => score !== null) && !seen.has(method);
    seen.add(method);
    return fresh;
  });
}

function axis(label, size) {
  const ink = colour("--muted");
  const grid = { stroke: colour("--grid"), width: 1 };
  return { label, size, font: FONT, labelFont: FONT, labelSize: 16, stroke: ink, grid, ticks: { ...grid, size: 4 }, gap: 4 };
}

function orderOf(scores) {
  const positions = [...data.scores.ids.keys()];
  if (positions.length <= MANY) return positions;
  return positions.filter((position) => scores[position] !== null).sort((a, b) => scores[a] - scores[b]);
}

/** Where the shown images are along the axis, counted from 0; -1 for none. */
function shownPlaces() {
  return shownPositions.map((position) => order.indexOf(position));
}

function axisLabel(roles, metric) {
  if (order.length <= MANY) return "Test image";
  return `Test images by ${metric.label} of ${methodLabel(roles[0][1])}`;
}

function series(role, place) {
  const stroke = colour(`--${role}`);
  if (order.length <= MANY || place === 0) return { stroke, width: 1.5, dash: STYLES[role].dash, points: { show: false } };
  return { stroke, paths: () => null, points: { show: true, size: 2.5, width: 0, fill: `${stroke}80` } };
}

function settings(box, roles, metric) {
  const count = order.length;
  const whole = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
  return {
    width: box.clientWidth,
    height: box.clientHeight,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: false, range: [0.5, count + 0.5] } },
    axes: [{ ...axis(axisLabel(roles, metric), 26), incrs: whole, space: 30 }, axis(metricHeading(metric), 46)],
    series: [{}, ...roles.map(([role], place) => series(role, place))],
    hooks: { drawAxes: [(u) => drawShown(u, shownPlaces(), state.image)], draw: [(u) => drawMarks(u, roles, shownPlaces())] },
  };
}

function drawPlot() {
  plot?.destroy();
  plot = null;
  const box = byId("plot");
  const metric = named(data.scores.metrics, state.metric);
  const roles = metric ? plotted() : [];
  byId("legend").replaceChildren(...roles.map(legendEntry));
  if (!roles.length) setText(byId("plot-note"), missingText(metric));
  if (!roles.length || box.clientWidth < 80 || box.clientHeight < 60) return;
  const scores = roles.map(([, method]) => scoresOf(state.noise, method, state.metric));
  order = orderOf(scores[0]);
  const columns = scores.map((values) => order.map((position) => values[position]));
  plot = new uPlot(settings(box, roles, metric), [order.map((_, i) => i + 1), ...columns], box);
  plot.over.addEventListener("click", (event) => selectNear(event.offsetX));
  const methods = roles.map(([, method]) => methodLabel(method)).join(", ");
  box.setAttribute("aria-label", `${metricHeading(metric)} of ${data.scores.ids.length} test images for ${methods}`);
}

function missingText(metric) {
  return `There are no scores of ${metric?.label ?? "any metric"} for these methods on ${noiseTitle(state.noise)}.`;
}

function legendEntry([role, method]) {
  const canvas = make("canvas", { width: 60, height: 20, "aria-hidden": "true" });
  drawMark(canvas, role, colour(`--${role}`));
  return make("li", {}, canvas, methodLabel(method));
}

function selectNear(x) {
  const distances = shownPlaces().map((place) => (place < 0 ? Infinity : Math.abs(plot.valToPos(place + 1, "x") - x)));
  const nearest = distances.indexOf(Math.min(...distances));
  if (distances[nearest] <= NEAR) {
    setText(byId("plot-note"), "");
    setState({ image: nearest });
  } else {
    const id = data.scores.ids[order[Math.round(plot.posToVal(x, "x")) - 1]] ?? "an image";
    setText(byId("plot-note"), `The page has no picture of ${id}; choose a marked image.`);
  }
}

/** Set up the plot and the choice of its metric. */
export function startPlot() {
  const choice = byId("metric");
  choice.append(...plottable.map((metric) => make("option", { value: metric.name }, metricHeading(metric))));
  choice.addEventListener("change", () => setState({ metric: choice.value }));
  const refresh = () => {
    choice.value = state.metric;
    setText(byId("plot-note"), "");
    drawPlot();
  };
  const shown = ["noise", "image", "left", "right", "metric", "theme"];
  onChange((changed) => shown.some((key) => changed.has(key)) && refresh());
  new ResizeObserver(drawPlot).observe(byId("plot"));
  refresh();
}
