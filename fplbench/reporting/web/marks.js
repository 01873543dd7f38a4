// Markers and lines of the plot: methods differ by dash and marker as well as by colour.

import { colour } from "./dom.js";

const ALL_MARKED = 60; // with scores of more images than this, only those that the page shows get markers
const SIZE = 3.5;

/** Dash and marker of each role in the plot. */
export const STYLES = {
  left: { dash: [], mark: "circle" },
  right: { dash: [6, 3], mark: "square" },
  noisy: { dash: [1, 3], mark: "cross" },
  reference: { dash: [8, 3, 2, 3], mark: "diamond" },
};

const OUTLINES = {
  circle: (path, r) => path.arc(0, 0, r, 0, 2 * Math.PI),
  square: (path, r) => path.rect(-0.9 * r, -0.9 * r, 1.8 * r, 1.8 * r),
  diamond: (path, r) => polygon(path, [[0, -1.3 * r], [1.3 * r, 0], [0, 1.3 * r], [-1.3 * r, 0]]),
  cross: (path, r) => {
    path.moveTo(-r, -r);
    path.lineTo(r, r);
    path.moveTo(-r, r);
    path.lineTo(r, -r);
  },
};

function polygon(path, points) {
  points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  path.closePath();
}

function mark(context, role, x, y, ratio) {
  context.save();
  context.translate(x, y);
  context.setLineDash([]);
  context.lineWidth = 1.5 * ratio;
  context.beginPath();
  OUTLINES[STYLES[role].mark](context, SIZE * ratio);
  if (STYLES[role].mark === "cross") context.stroke();
  else context.fill();
  context.restore();
}

/** Draw the markers of a plot's series; roles are [role, method] in the order of the series. */
export function drawMarks(plot, roles, shownPlaces) {
  const ratio = window.devicePixelRatio || 1;
  roles.forEach(([role], i) => {
    plot.ctx.fillStyle = plot.ctx.strokeStyle = colour(`--${role}`);
    const values = plot.data[i + 1];
    const scored = [...values.keys()].filter((place) => values[place] !== null);
    const marked = scored.length <= ALL_MARKED ? scored : scored.filter((place) => shownPlaces.includes(place));
    for (const place of marked) {
      mark(plot.ctx, role, plot.valToPos(place + 1, "x", true), plot.valToPos(values[place], "y", true), ratio);
    }
  });
}

/** Draw a vertical line at each image that the page shows; the one in the viewer is stronger. */
export function drawShown(plot, shownPlaces, current) {
  const { ctx, bbox } = plot;
  ctx.save();
  shownPlaces.forEach((place, i) => {
    if (place < 0) return;
    const x = plot.valToPos(place + 1, "x", true);
    ctx.strokeStyle = colour(i === current ? "--text" : "--muted");
    ctx.lineWidth = (i === current ? 2 : 1) * (window.devicePixelRatio || 1);
    ctx.setLineDash(i === current ? [] : [2, 4]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  });
  ctx.restore();
}

/** Draw a line with its marker on a canvas of the legend, which is twice as large as it is shown. */
export function drawMark(canvas, role, ink) {
  const context = canvas.getContext("2d");
  context.strokeStyle = context.fillStyle = ink;
  context.lineWidth = 3;
  context.setLineDash(STYLES[role].dash.map((length) => 2 * length));
  context.beginPath();
  context.moveTo(0, canvas.height / 2);
  context.lineTo(canvas.width, canvas.height / 2);
  context.stroke();
  mark(context, role, canvas.width / 2, canvas.height / 2, 2);
}
