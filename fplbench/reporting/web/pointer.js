// Pointers on the viewer: drag to move, wheel and pinch to zoom, right button for the window, the divider for the slider.

import { byId } from "./dom.js";
import { fit, panBy, viewport, zoomBy } from "./geometry.js";
import { onChange, setState, state } from "./state.js";
import { slider, stage } from "./viewer.js";
import { levelAndWidth, setWindow } from "./window.js";

const GRIP = 14; // CSS pixels on either side of the divider, half the width of its handle
const LEVELS_PER_PIXEL = 0.5; // of the window, when dragging with the right button
const WHEEL = 0.0015;
const RIGHT_BUTTON = 2;

const pressed = new Map(); // pointers that move the image, by id
let windowing = null;

const single = () => state.view === "difference" && state.of === "sides";

function place(event) {
  const box = stage.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function onDivider(event) {
  return !single() && Math.abs(place(event).x - (state.split / 100) * viewport.width) <= GRIP;
}

function press(event) {
  if (event.button === RIGHT_BUTTON) windowing = { id: event.pointerId, x: event.clientX, y: event.clientY, ...levelAndWidth() };
  else if (event.button === 0 && !onDivider(event)) pressed.set(event.pointerId, place(event));
  else return;
  stage.setPointerCapture(event.pointerId);
}

function move(event) {
  if (windowing?.id === event.pointerId) {
    // As in most DICOM viewers: to the right is wider, down is a higher level.
    const width = windowing.width + (event.clientX - windowing.x) * LEVELS_PER_PIXEL;
    setWindow(windowing.level + (event.clientY - windowing.y) * LEVELS_PER_PIXEL, width);
    return;
  }
  const before = pressed.get(event.pointerId);
  if (!before) return;
  const now = place(event);
  if (pressed.size === 1) panBy(now.x - before.x, now.y - before.y);
  else pinch(event.pointerId, before, now);
  pressed.set(event.pointerId, now);
}

function pinch(id, before, now) {
  const other = [...pressed].find(([key]) => key !== id)[1];
  const distance = (point) => Math.max(Math.hypot(point.x - other.x, point.y - other.y), 1);
  zoomBy(distance(now) / distance(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
  panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
}

function release(event) {
  pressed.delete(event.pointerId);
  if (windowing?.id === event.pointerId) windowing = null;
}

function startSlider() {
  slider.addEventListener("slide", () => setState({ split: slider.value }));
  // The library would also move the divider with the other buttons.
  stage.addEventListener("mousedown", (event) => event.button !== 0 && event.stopPropagation(), { capture: true });
  // It also takes the keyboard's focus when it is dragged; the arrow keys belong to the images then.
  window.addEventListener("mouseup", () => slider.blur());
  slider.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -2, ArrowRight: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 }[event.key];
    if (!step) return;
    event.preventDefault();
    setState({ split: state.split + step });
  });
  const update = () => {
    if (Math.abs(slider.value - state.split) > 0.05) slider.value = state.split;
    slider.setAttribute("aria-valuenow", Math.round(state.split));
    stage.classList.toggle("single", single());
    stage.style.touchAction = state.zoom > 1 ? "none" : "pan-y"; // without zoom, a finger scrolls the page
  };
  onChange(update);
  update();
}

/** Set up pointers, the divider, and the buttons that zoom. */
export function startPointer() {
  stage.addEventListener("pointerdown", press);
  stage.addEventListener("pointermove", move);
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) stage.addEventListener(end, release);
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("dblclick", fit);
  const wheel = (event) => {
    event.preventDefault();
    const at = place(event);
    zoomBy(Math.exp(-event.deltaY * WHEEL), at.x, at.y);
  };
  stage.addEventListener("wheel", wheel, { passive: false });
  byId("zoom-in").addEventListener("click", () => zoomBy(1.25));
  byId("zoom-out").addEventListener("click", () => zoomBy(0.8));
  byId("zoom-fit").addEventListener("click", fit);
  startSlider();
}
