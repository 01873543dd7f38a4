// Outlines of the annotated lesions, and their list.

import { data } from "./data.js";
import { byId, setText } from "./dom.js";
import { toViewer } from "./geometry.js";
import { onChange, state } from "./state.js";

const YELLOW = "#f0e442"; // Okabe and Ito (2008)
const HALO = "rgb(0 0 0 / 60%)"; // keeps the line visible on bright tissue

/** Draw the outlines of the shown image's lesions along the borders of their pixels. */
export function drawLesions(context) {
  const path = new Path2D();
  for (const lesion of data.images[state.image].lesions) {
    for (const [x1, y1, x2, y2] of lesion.edges) {
      const from = toViewer(x1, y1);
      const to = toViewer(x2, y2);
      path.moveTo(from.x, from.y);
      path.lineTo(to.x, to.y);
    }
  }
  context.lineCap = "round";
  for (const [width, style] of [[3, HALO], [1.5, YELLOW]]) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke(path);
  }
}

// The lesions of an image in a line.
function lesionList(image) {
  if (!image.lesions.length) return "No annotated lesion in this image";
  const names = image.lesions.map((lesion) => (lesion.kind ? `${lesion.name} (${lesion.kind})` : lesion.name));
  return `Outlined: ${names.join(", ")}`;
}

/** Set up the list of lesions. */
export function startLesions() {
  const list = byId("lesion-list");
  const update = () => {
    setText(list, data.images.length ? lesionList(data.images[state.image]) : "");
    list.title = list.textContent;
  };
  onChange((changed) => changed.has("image") && update());
  update();
}
