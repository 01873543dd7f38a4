// The pixel below the pointer: its place, and its value in both images and the clean one.

import { data, featureScale, formatted, hounsfield, hounsfieldPerLevel, methodLabel, withSign } from "./data.js";
import { byId, setText } from "./dom.js";
import { toImage } from "./geometry.js";
import { significant } from "./scale.js";
import { state } from "./state.js";
import { onDrawn, shownSides, stage } from "./viewer.js";

let pointer = null;

/** Stored grey levels of the shown images at pixel (x, y): {left, right, clean}, undefined where there is no image. */
export function greyLevels(x, y) {
  const place = y * data.width + x;
  const { left, right, clean } = shownSides;
  return { left: left.levels?.[place], right: right.levels?.[place], clean: clean.levels?.[place] };
}

function valueText(level) {
  if (level === undefined) return "\u2013";
  if (state.view === "features") {
    const [black, white] = featureScale(state.noise);
    return significant(black + (level / 255) * (white - black));
  }
  return data.window ? `${level} (${formatted(hounsfield(level), 0)} HU)` : `${level}`;
}

function differenceText({ left, right }) {
  if (left === undefined || right === undefined || state.view === "features") return "";
  const step = hounsfieldPerLevel();
  const levels = right - left;
  return `right \u2212 left ${withSign(levels, 0)}${step ? ` (${withSign(levels * step, 0)} HU)` : ""}`;
}

function updateReadout() {
  const point = pointer && toImage(pointer.x, pointer.y);
  const [x, y] = point ? [Math.floor(point.x), Math.floor(point.y)] : [-1, -1];
  const inside = x >= 0 && y >= 0 && x < data.width && y < data.height;
  const values = inside ? greyLevels(x, y) : {};
  setText(byId("read-place"), inside ? `x ${x}  y ${y}` : "Point at the image to read its values");
  const twice = [state.left, state.right].includes("clean");
  for (const [side, method] of [["left", state.left], ["right", state.right], ["clean", "clean"]]) {
    const told = inside && !(side === "clean" && twice);
    setText(byId(`read-${side}`), told ? `${methodLabel(method)} ${valueText(values[side])}` : "");
  }
  setText(byId("read-difference"), inside ? differenceText(values) : "");
}

/** Set up the read-out. */
export function startReadout() {
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    pointer = { x: event.clientX - box.left, y: event.clientY - box.top };
    updateReadout();
  };
  stage.addEventListener("pointermove", follow);
  stage.addEventListener("pointerdown", follow);
  stage.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "touch") return; // a finger is lifted to read what it pointed at
    pointer = null;
    updateReadout();
  });
  onDrawn(updateReadout);
}
