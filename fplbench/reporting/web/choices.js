// The controls that choose what is shown: noise, image, methods, view, and the switches.

import { data, featureScale, methodLabel, named, noiseTitle } from "./data.js";
import { byId, make, setText } from "./dom.js";
import { onChange, RANGES, setState, state, VIEWS } from "./state.js";

const SELECTS = ["noise", "image", "left", "right", "range", "of"];
const SWITCHES = ["lesions", "smooth"];

function options() {
  const methods = data.methods.map((method, i) => [method.name, methodOption(method, i)]);
  return {
    noise: data.noises.map((noise) => [noise.name, noise.title || noise.label]),
    image: data.images.map((image, i) => [i, imageOption(image, i)]),
    left: methods,
    right: methods,
    range: RANGES.map((range) => [range, `\u00b1${range}`]),
    of: [["clean", "each \u2212 clean"], ["sides", "right \u2212 left"]],
  };
}

function imageOption(image, i) {
  return `${i + 1} of ${data.images.length} (test image ${image.position + 1}): ${image.id}`;
}

function methodOption(method, i) {
  return i < 10 ? `${(i + 1) % 10}  ${method.label}` : method.label;
}

/** Show the next image, or with -1 the one before; after the last comes the first. */
export function stepImage(step) {
  const count = data.images.length;
  if (count) setState({ image: (state.image + step + count) % count });
}

/** Choose the next noise, or with -1 the one before. */
export function stepNoise(step) {
  const count = data.noises.length;
  const now = data.noises.findIndex((noise) => noise.name === state.noise);
  if (count) setState({ noise: data.noises[(now + step + count) % count].name });
}

/** Choose the next method of a side, or with -1 the one before. */
export function stepMethod(side, step) {
  const count = data.methods.length;
  const now = data.methods.findIndex((method) => method.name === state[side]);
  setState({ [side]: data.methods[(now + step + count) % count].name });
}

/** Choose a view, or go back to the images if it is chosen already. */
export function toggleView(view) {
  setState({ view: state.view === view ? "compare" : view });
}

/** Turn a switch on or off. */
export function toggle(key) {
  setState({ [key]: 1 - state[key] });
}

/** Exchange the methods of the two sides. */
export function exchangeSides() {
  setState({ left: state.right, right: state.left });
}

function nowShown() {
  const image = data.images[state.image];
  const where = image ? `image ${state.image + 1} of ${data.images.length}, ${image.id}` : "no image";
  const view = { compare: "images", difference: "difference images", features: "feature maps" }[state.view];
  return `${noiseTitle(state.noise)}, ${where}: ${methodLabel(state.left)} and ${methodLabel(state.right)}, ${view}`;
}

function updateLabels() {
  const sides = state.view === "difference" && state.of === "sides";
  const kind = { compare: "", difference: sides ? "" : " \u2212 clean", features: ", feature map" }[state.view];
  for (const side of ["left", "right"]) setText(byId(`${side}-label`), `${methodLabel(state[side])}${kind}`);
  if (sides) setText(byId("right-label"), `${methodLabel(state.right)} \u2212 ${methodLabel(state.left)}`);
  setText(byId("image-label"), data.images[state.image]?.id ?? "");
  setText(byId("noise-label"), named(data.noises, state.noise)?.title ?? "");
  setText(byId("status"), nowShown());
  const label = `Divider between ${methodLabel(state.left)} on the left and ${methodLabel(state.right)} on the right`;
  byId("slider").setAttribute("aria-label", label);
}

function updateControls() {
  for (const name of SELECTS) byId(name).value = state[name];
  for (const name of SWITCHES) byId(name).checked = state[name] === 1;
  for (const view of VIEWS) byId(`view-${view}`).setAttribute("aria-pressed", state.view === view);
  byId("difference-options").classList.toggle("absent", state.view !== "difference");
  const absent = !featureScale(state.noise);
  byId("view-features").classList.toggle("faint", absent);
  byId("view-features").title = absent ? `There are no feature maps for ${noiseTitle(state.noise)}` : "";
  document.documentElement.dataset.theme = state.theme;
  setText(byId("theme"), state.theme === "dark" ? "Light" : "Dark");
  byId("theme").setAttribute("aria-label", `Change to the ${state.theme === "dark" ? "light" : "dark"} theme`);
}

/** Set up the controls and the labels of the viewer. */
export function startChoices() {
  for (const [name, entries] of Object.entries(options())) {
    byId(name).append(...entries.map(([value, label]) => make("option", { value: String(value) }, label)));
    byId(name).addEventListener("change", (event) => setState({ [name]: event.target.value }));
  }
  for (const name of SWITCHES) byId(name).addEventListener("change", () => toggle(name));
  for (const view of VIEWS) byId(`view-${view}`).addEventListener("click", () => setState({ view }));
  byId("previous").addEventListener("click", () => stepImage(-1));
  byId("next").addEventListener("click", () => stepImage(1));
  byId("exchange").addEventListener("click", exchangeSides);
  byId("theme").addEventListener("click", () => setState({ theme: state.theme === "dark" ? "light" : "dark" }));
  const update = () => {
    updateControls();
    updateLabels();
  };
  onChange(update);
  update();
}
