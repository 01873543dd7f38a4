// The keyboard, and the help that lists its keys.

import { data } from "./data.js";
import { exchangeSides, stepImage, stepNoise, toggle, toggleView } from "./choices.js";
import { byId } from "./dom.js";
import { fit, zoomBy } from "./geometry.js";
import { setState, state } from "./state.js";
import { nextPreset } from "./window.js";

const help = byId("help");

const KEYS = {
  ArrowLeft: () => stepImage(-1),
  ArrowRight: () => stepImage(1),
  ArrowUp: () => stepImage(-1),
  ArrowDown: () => stepImage(1),
  n: () => stepNoise(1),
  N: () => stepNoise(-1),
  w: nextPreset,
  l: () => toggle("lesions"),
  s: () => toggle("smooth"),
  d: () => toggleView("difference"),
  f: () => toggleView("features"),
  x: exchangeSides,
  t: () => setState({ theme: state.theme === "dark" ? "light" : "dark" }),
  "+": () => zoomBy(1.25),
  "=": () => zoomBy(1.25),
  "-": () => zoomBy(0.8),
  0: fit,
  h: () => help.showModal(),
  "?": () => help.showModal(),
};

// Lists and sliders need the arrow keys and letters themselves, and so does the table for the arrow keys.
function isTaken(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || help.open) return true;
  const target = event.target;
  if (!(target instanceof Element)) return false;
  if (target.matches("select, textarea, input[type=text]")) return true;
  return event.key.startsWith("Arrow") && target.matches("input[type=range], td");
}

// Number keys by their place on the keyboard: with shift they give signs, which differ between countries.
function numbered(event) {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
  const method = digit && data.methods[Number(digit) - 1];
  if (!method) return null;
  return () => setState({ [event.shiftKey ? "left" : "right"]: method.name });
}

/** Set up the keyboard. */
export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (isTaken(event)) return;
    const letter = event.key.length === 1 && event.key !== "N" ? event.key.toLowerCase() : event.key;
    const action = numbered(event) ?? KEYS[letter];
    if (!action) return;
    event.preventDefault();
    action();
  });
  byId("help-button").addEventListener("click", () => help.showModal());
  byId("help-close").addEventListener("click", () => help.close());
}
