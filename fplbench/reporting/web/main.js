// Starts the page.

import { data } from "./data.js";
import { startChoices } from "./choices.js";
import { byId, setText } from "./dom.js";
import { toViewer } from "./geometry.js";
import { startKeys } from "./keys.js";
import { startLesions } from "./lesions.js";
import { startPlot } from "./plot.js";
import { startPointer } from "./pointer.js";
import { greyLevels, startReadout } from "./readout.js";
import { startScale } from "./scale.js";
import { startScores } from "./scores.js";
import { readFragment, state, writeFragment } from "./state.js";
import { startTable } from "./table.js";
import { onDrawn, settled, startViewer, stage } from "./viewer.js";
import { startWindow, windowText } from "./window.js";

function writeTexts() {
  setText(byId("title"), data.title);
  const count = data.scores.ids.length;
  setText(byId("facts"), `${data.images.length} of ${count} test image${count === 1 ? "" : "s"} shown`);
  byId("about").title = data.about ?? "";
  for (const name of ["about", "note", "licence", "storage"]) {
    setText(byId(name), data[name] ?? "");
    byId(name).hidden = !data[name];
  }
}

function start() {
  readFragment();
  writeTexts();
  startChoices();
  startViewer();
  startWindow();
  startScale();
  startReadout();
  startLesions();
  startPointer();
  startScores();
  startPlot();
  startTable();
  startKeys();
  window.addEventListener("hashchange", readFragment);
  onDrawn(() => setText(byId("window-label"), state.view === "compare" ? windowText() : ""));
}

start();

// For tests and for the browser's console: the state; a promise that is kept when the page shows it; stored grey levels of
// pixel (x, y), {left, right, clean}; its middle in CSS pixels of the window; writing the state into the URL at once.
window.fplbench = {
  state,
  settled,
  grey: greyLevels,
  place(x, y) {
    const box = stage.getBoundingClientRect();
    const at = toViewer(x + 0.5, y + 0.5);
    return { x: box.left + at.x, y: box.top + at.y };
  },
  link: writeFragment,
};
