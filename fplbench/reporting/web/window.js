// Window and level: its presets and its controls. The window is kept as the grey levels shown black and white.

import { data, formatted, hounsfield, hounsfieldPerLevel } from "./data.js";
import { byId, make, setText } from "./dom.js";
import { quantile } from "./pixels.js";
import { onChange, setState, state } from "./state.js";
import { onDrawn, shownSides } from "./viewer.js";

const CT = [
  { label: "Lung", low: -1350, high: 150 },
  { label: "Soft tissue", low: -160, high: 240 },
  { label: "Bone", low: -500, high: 1300 },
  { label: "Liver", low: -45, high: 105 },
];
const LEAST_OVERLAP = 0.5; // of a preset's width; with less of it stored, the preset would not show what it is for
const AUTO = [0.02, 0.98]; // of the pixels that are not clipped

const toLevel = (hu) => ((hu - data.window[0]) / (data.window[1] - data.window[0])) * 255;
const inHounsfield = (low, high) => `${formatted(low, 0)} to ${formatted(high, 0)} HU`;

/** Presets that apply to this data set: {label, title, window()}, window giving [low, high] in grey levels. */
export const presets = [fullPreset(), ...(data.window ? CT.map(ctPreset).filter(Boolean) : []), autoPreset()];

function fullPreset() {
  const levels = "all stored grey levels, 0 to 255";
  const title = data.window ? `${levels}: ${inHounsfield(...data.window)}` : levels;
  return { label: "Full", title: `Full: ${title}`, window: () => [0, 255] };
}

function ctPreset({ label, low, high }) {
  const [first, last] = data.window;
  const from = Math.max(low, first);
  const to = Math.min(high, last);
  if (to - from < LEAST_OVERLAP * (high - low)) return null;
  if (from === first && to === last) return null; // the same as the full one
  const cut = from === low && to === high ? "" : `, of which ${inHounsfield(from, to)} are stored`;
  return { label, title: `${label}: ${inHounsfield(low, high)}${cut}`, window: () => [toLevel(from), toLevel(to)] };
}

function autoPreset() {
  const title = "Auto: from the 2nd to the 98th percentile of the clean image, without its grey levels 0 and 255";
  const range = () => {
    const inside = (shownSides.clean.levels ?? new Uint8Array()).filter((level) => level > 0 && level < 255);
    return inside.length ? AUTO.map((share) => quantile(inside, share)) : [0, 255];
  };
  return { label: "Auto", title, window: range };
}

// Whether the view has a window: differences and feature maps have scales of their own.
function hasWindow() {
  return state.view === "compare";
}

/** Show grey levels around a level, with limits: level 0 to 255, width 1 to 255. */
export function setWindow(level, width) {
  if (!hasWindow()) return;
  const middle = Math.min(Math.max(level, 0), 255);
  const half = Math.min(Math.max(width, 1), 255) / 2;
  setState({ low: middle - half, high: middle + half });
}

/** Level and width of the window, in grey levels. */
export function levelAndWidth() {
  return { level: (state.low + state.high) / 2, width: state.high - state.low };
}

/** Level and width of the window in a few letters, as DICOM viewers write them. */
export function windowText() {
  const { level, width } = levelAndWidth();
  if (!data.window) return `L ${formatted(level, 0)}  W ${formatted(width, 0)}`;
  return `L ${formatted(hounsfield(level), 0)}  W ${formatted(width * hounsfieldPerLevel(), 0)} HU`;
}

function isChosen(preset) {
  const [low, high] = preset.window();
  return Math.abs(low - state.low) < 0.05 && Math.abs(high - state.high) < 0.05;
}

function choose(preset) {
  const [low, high] = preset.window();
  setState({ low, high });
}

/** Choose the next preset that differs from the present window. */
export function nextPreset() {
  if (!hasWindow()) return;
  const now = presets.findIndex(isChosen);
  const following = [...presets.slice(now + 1), ...presets.slice(0, now + 1)];
  const next = following.find((preset) => !isChosen(preset));
  if (next) choose(next);
}

/** Set up presets, the two sliders, and the sentence on what is stored. */
export function startWindow() {
  const buttons = presets.map((preset) => {
    const button = make("button", { type: "button", title: preset.title }, preset.label);
    button.addEventListener("click", () => choose(preset));
    return button;
  });
  byId("presets").append(...buttons);
  const [level, width] = [byId("level"), byId("width")];
  level.addEventListener("input", () => setWindow(Number(level.value), levelAndWidth().width));
  width.addEventListener("input", () => setWindow(levelAndWidth().level, Number(width.value)));
  setText(byId("stored"), storedSentence());
  const update = () => {
    const now = levelAndWidth();
    level.value = now.level;
    width.value = now.width;
    setText(byId("window-text"), hasWindow() ? windowText() : "for images only");
    for (const control of [...buttons, level, width]) control.disabled = !hasWindow();
    for (const input of [level, width]) input.setAttribute("aria-valuetext", windowText());
    presets.forEach((preset, i) => buttons[i].setAttribute("aria-pressed", isChosen(preset)));
  };
  onChange((changed) => ["low", "high", "view"].some((key) => changed.has(key)) && update());
  onDrawn(update); // another image has another automatic window
  update();
}

function storedSentence() {
  if (!data.window) return "Stored: 256 grey levels, which are not HU. No window shows more than that.";
  const step = formatted(hounsfieldPerLevel(), 1);
  return `Stored: ${inHounsfield(...data.window)} in 256 grey levels of ${step} HU. No window shows more than that.`;
}
