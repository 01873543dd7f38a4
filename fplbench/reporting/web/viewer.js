// The two canvases of the viewer, one below and one above the divider.

import { data } from "./data.js";
import { byId, make, setText } from "./dom.js";
import { magnification, toViewer, viewport } from "./geometry.js";
import { sidesOf } from "./layers.js";
import { drawLesions } from "./lesions.js";
import { onChange, state } from "./state.js";

export const stage = byId("stage");
export const slider = byId("slider");

/** What was drawn last: {left, right, clean}, each with its stored grey levels. */
export let shownSides = { left: {}, right: {}, clean: {} };

const SIDES = ["left", "right"];
const canvases = { left: byId("left-canvas"), right: byId("right-canvas") };
const unscaled = { left: make("canvas"), right: make("canvas") }; // one pixel for each pixel of the image
const NOT_DRAWN = new Set(["metric", "split", "theme"]);
const afterwards = [];
let drawing = null;
let outdated = false;

/** Call a function after each drawing. */
export function onDrawn(listener) {
  afterwards.push(listener);
}

/** Draw before the next frame; several requests become one drawing. */
export function requestDrawing() {
  outdated = true;
  drawing ??= drawAll();
}

/** A promise that is kept when all changes so far are on the screen. */
export async function settled() {
  while (drawing) await drawing;
}

async function drawAll() {
  try {
    while (outdated) await drawOnce();
  } finally {
    drawing = null;
  }
}

async function drawOnce() {
  await new Promise(requestAnimationFrame);
  outdated = false;
  const sides = await sidesOf({ ...state });
  if (outdated) return; // the state changed while images were decoded
  shownSides = sides;
  SIDES.forEach(drawSide);
  for (const listener of afterwards) listener();
}

function drawSide(name) {
  const side = shownSides[name];
  const canvas = canvases[name];
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(viewport.width * ratio);
  canvas.height = Math.round(viewport.height * ratio);
  const context = canvas.getContext("2d");
  context.fillRect(0, 0, canvas.width, canvas.height);
  setText(byId(`${name}-sentence`), side.sentence);
  if (!side.colours) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.imageSmoothingEnabled = state.smooth === 1;
  context.imageSmoothingQuality = "high";
  const corner = toViewer(0, 0);
  const scale = magnification();
  context.drawImage(picture(name, side.colours), corner.x, corner.y, data.width * scale, data.height * scale);
  if (state.lesions) drawLesions(context);
}

function picture(name, colours) {
  const canvas = unscaled[name];
  canvas.width = data.width;
  canvas.height = data.height;
  const bytes = new Uint8ClampedArray(colours.buffer);
  canvas.getContext("2d").putImageData(new ImageData(bytes, data.width, data.height), 0, 0);
  return canvas;
}

/** Set up drawing: after changes of the state, and when the viewer gets another size. */
export function startViewer() {
  onChange((changed) => {
    if ([...changed].some((key) => !NOT_DRAWN.has(key))) requestDrawing();
  });
  const measure = () => {
    viewport.width = Math.max(stage.clientWidth, 1);
    viewport.height = Math.max(stage.clientHeight, 1);
    stage.style.setProperty("--stage-height", `${viewport.height}px`); // the divider can be grabbed anywhere
    requestDrawing();
  };
  measure();
  new ResizeObserver(measure).observe(stage);
}
