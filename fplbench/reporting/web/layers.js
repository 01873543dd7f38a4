// What the two sides of the viewer show: colours of each pixel, or a sentence that says why there is nothing.

import { featureScale, featureUri, imageUri, methodLabel, noiseTitle } from "./data.js";
import { differenceTable, windowTable } from "./colours.js";
import { levelsOf } from "./pixels.js";

/**
 * Both sides and the clean image for a state.
 *
 * Each side is {levels, colours, sentence}: stored grey levels (those of the feature map in that view) and colours of the
 * pixels, or null and a sentence.
 */
export async function sidesOf(shown) {
  const find = shown.view === "features" ? featureUri : imageUri;
  const methods = [shown.left, shown.right, "clean"];
  const found = await Promise.all(methods.map((method) => stored(find(shown.noise, method, shown.image))));
  const [left, right, clean] = found.map((levels, i) => ({
    levels,
    colours: null,
    sentence: levels ? "" : missing(shown, methods[i]),
  }));
  if (shown.view === "difference") colourDifferences(shown, left, right, clean);
  else colourGreys(shown, left, right);
  return { left, right, clean };
}

function stored(uri) {
  return uri ? levelsOf(uri).catch(() => null) : null;
}

function missing(shown, method) {
  if (shown.view !== "features") return `There is no image of ${methodLabel(method)} for ${noiseTitle(shown.noise)}.`;
  if (!featureScale(shown.noise)) return `There are no feature maps for ${noiseTitle(shown.noise)}.`;
  return `There is no feature map of ${methodLabel(method)} for ${noiseTitle(shown.noise)}.`;
}

function colourGreys(shown, ...sides) {
  const table = shown.view === "features" ? windowTable(0, 255) : windowTable(shown.low, shown.high);
  for (const side of sides) if (side.levels) side.colours = mapped(side.levels, table);
}

function mapped(levels, table) {
  const colours = new Uint32Array(levels.length);
  for (let i = 0; i < levels.length; i++) colours[i] = table[levels[i]];
  return colours;
}

function colourDifferences(shown, left, right, clean) {
  const table = differenceTable(shown.range);
  if (shown.of === "clean") {
    for (const side of [left, right]) {
      side.colours = subtracted(side.levels, clean.levels, table);
      side.sentence ||= clean.sentence;
    }
  } else {
    left.colours = right.colours = subtracted(right.levels, left.levels, table);
    left.sentence = right.sentence = left.sentence || right.sentence;
  }
}

function subtracted(levels, from, table) {
  if (!levels || !from) return null;
  const colours = new Uint32Array(levels.length);
  for (let i = 0; i < levels.length; i++) colours[i] = table[levels[i] - from[i] + 255];
  return colours;
}
