// What is shown, and its copy in the fragment of the URL.

import { data, plottable } from "./data.js";

export const VIEWS = ["compare", "difference", "features"];
export const RANGES = [8, 16, 32, 64, 128, 255];
const methods = data.methods.map((method) => method.name);
const FRAGMENT_DELAY = 250; // ms; browsers complain about a page that changes its address at every movement of the pointer

const oneOf = (values) => (text) => (values.includes(text) ? text : undefined);
const numberOf = (values) => (text) => (values.includes(Number(text)) ? Number(text) : undefined);
const flag = numberOf([0, 1]);
const between = (low, high, digits) => (text) => {
  const value = Number.parseFloat(text);
  return Number.isFinite(value) ? Number(Math.min(Math.max(value, low), high).toFixed(digits)) : undefined;
};

// What is allowed for each key: a function from text or number to the value, or to undefined.
const ALLOWED = {
  noise: oneOf(data.noises.map((noise) => noise.name)),
  image: numberOf([...data.images.keys()]),
  left: oneOf(methods),
  right: oneOf(methods),
  view: oneOf(VIEWS),
  of: oneOf(["clean", "sides"]), // difference of each side from the clean image, or of the two sides
  range: numberOf(RANGES), // grey levels at both ends of the scale of differences
  low: between(-128, 382, 2), // grey level that is shown black
  high: between(-127, 383, 2), // grey level that is shown white
  zoom: between(1, 40, 3), // 1 fits the image into the viewer
  x: between(0, data.width, 4), // the point of the image in the middle of the viewer
  y: between(0, data.height, 4),
  split: between(0, 100, 1), // place of the divider, per cent from the left
  lesions: flag,
  smooth: flag,
  metric: oneOf(plottable.map((metric) => metric.name)),
  theme: oneOf(["dark", "light"]),
};

const DEFAULTS = {
  noise: data.start ?? data.noises[0]?.name ?? "",
  image: 0,
  left: methods.includes("noisy") ? "noisy" : (methods[0] ?? ""),
  right: methods.includes(data.reference) ? data.reference : (methods.at(-1) ?? ""),
  view: "compare",
  of: "clean",
  range: 32,
  low: 0,
  high: 255,
  zoom: 1,
  x: data.width / 2,
  y: data.height / 2,
  split: 50,
  lesions: 1,
  smooth: 0,
  metric: plottable[0]?.name ?? "",
  theme: "dark",
};

export const state = { ...DEFAULTS };

const listeners = [];
let timer = null;

/** Call a function with the set of changed keys after each change of the state. */
export function onChange(listener) {
  listeners.push(listener);
}

/** Change the state. Values that are not allowed are left out. */
export function setState(changes) {
  const accepted = Object.entries(changes)
    .map(([key, value]) => [key, ALLOWED[key]?.(value)])
    .filter(([key, value]) => value !== undefined && value !== state[key]);
  apply(Object.fromEntries(accepted));
}

function apply(changes) {
  const next = { ...state, ...changes };
  if (next.high - next.low < 1) next.high = next.low + 1;
  const changed = new Set(Object.keys(next).filter((key) => next[key] !== state[key]));
  if (!changed.size) return;
  Object.assign(state, next);
  clearTimeout(timer);
  timer = setTimeout(writeFragment, FRAGMENT_DELAY);
  for (const listener of listeners) listener(changed);
}

/** The state as the fragment of a URL, without the #. */
export function fragment() {
  return new URLSearchParams(state).toString();
}

/** Write the state into the URL, without a new entry in the browser's history. */
export function writeFragment() {
  clearTimeout(timer);
  history.replaceState(null, "", `#${fragment()}`);
}

/** Take the state from the URL: what it does not name, or names wrongly, gets its default. */
export function readFragment() {
  const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const next = { ...DEFAULTS };
  for (const [key, allowed] of Object.entries(ALLOWED)) next[key] = allowed(given[key]) ?? DEFAULTS[key];
  apply(next);
}
