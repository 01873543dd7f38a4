// The keyboard, and the help that lists its keys.

import { data } from "./data.js";
import { exchangeSides, stepImage, stepMethod, stepNoise, toggle, toggleView } from "./choices.js";
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
  z: fit,
  "]": () => stepMethod("right", 1),
  "[": () => stepMethod("right", -1),
  "}": () => stepMethod("left", 1),
  "{": () => stepMethod("left", -1),
  h: () => help.showModal(),
  "?": () => help.showModal(),
};

// A shortcut of the browser. On many keyboards, brackets are typed with Alt, or with AltGr, which counts as Ctrl and Alt.
function isCommand(event) {
  if (event.metaKey) return true;
  return "[]{}".includes(event.key) ? event.ctrlKey && !event.altKey : event.ctrlKey || event.altKey;
}

// Lists and sliders need the arrow keys and letters themselves, and so does the table for the arrow keys.
function isTaken(event) {
  if (isCommand(event) || event.defaultPrevented || help.open) return true;
  const target = event.target;
  if (!(target instanceof Element)) return false;
  if (target.matches("select, textarea, input[type=text]")) return true;
  return event.key.startsWith("Arrow") && target.matches("input[type=range], td");
}

// Number keys by their place on the keyboard: with shift they give signs, which differ between countries.
function numbered(event) {
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
  const method = digit && data.methods[(Number(digit) + 9) % 10]; // 0 is the tenth
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
