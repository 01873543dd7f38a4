// Where points of the image are on the screen: zoom and the middle of the view are the same for both sides.

import { data } from "./data.js";
import { setState, state } from "./state.js";

/** Size of the viewer in CSS pixels. */
export const viewport = { width: 1, height: 1 };

/** CSS pixels that one pixel of the image covers. */
export function magnification(zoom = state.zoom) {
  return Math.min(viewport.width / data.width, viewport.height / data.height) * zoom;
}

// The middle of the view along one axis, such that no empty margin is shown where the image could fill it.
function centred(middle, length, room, scale) {
  const half = room / scale / 2;
  return 2 * half >= length ? length / 2 : Math.min(Math.max(middle, half), length - half);
}

/** The point of the image in the middle of the viewer. */
export function centre() {
  const scale = magnification();
  return {
    x: centred(state.x, data.width, viewport.width, scale),
    y: centred(state.y, data.height, viewport.height, scale),
  };
}

/** A point of the image, in pixels from its upper left corner, in CSS pixels from the upper left corner of the viewer. */
export function toViewer(x, y) {
  const middle = centre();
  const scale = magnification();
  return { x: viewport.width / 2 + (x - middle.x) * scale, y: viewport.height / 2 + (y - middle.y) * scale };
}

/** The reverse of `toViewer`. */
export function toImage(x, y) {
  const middle = centre();
  const scale = magnification();
  return { x: middle.x + (x - viewport.width / 2) / scale, y: middle.y + (y - viewport.height / 2) / scale };
}

/** Zoom by a factor, such that the image stays in place below a point of the viewer. */
export function zoomBy(factor, x = viewport.width / 2, y = viewport.height / 2) {
  const zoom = Math.min(Math.max(state.zoom * factor, 1), 40);
  const below = toImage(x, y);
  const scale = magnification(zoom);
  moveTo(below.x - (x - viewport.width / 2) / scale, below.y - (y - viewport.height / 2) / scale, zoom);
}

/** Move the image by CSS pixels. */
export function panBy(dx, dy) {
  const middle = centre();
  const scale = magnification();
  moveTo(middle.x - dx / scale, middle.y - dy / scale, state.zoom);
}

/** Show the whole image. */
export function fit() {
  setState({ zoom: 1, x: data.width / 2, y: data.height / 2 });
}

function moveTo(x, y, zoom) {
  const scale = magnification(zoom);
  setState({
    zoom,
    x: centred(x, data.width, viewport.width, scale),
    y: centred(y, data.height, viewport.height, scale),
  });
}
