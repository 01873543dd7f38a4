// Grey levels of the images, decoded from their data: URIs when they are first needed.

import { data } from "./data.js";

const KEPT = 64; // decoded images in memory
const decoded = new Map();

/** Grey levels, Uint8Array (height * width), of an image given as a data: URI; a promise. */
export function levelsOf(uri) {
  const known = decoded.get(uri) ?? decode(uri);
  decoded.delete(uri);
  decoded.set(uri, known); // the last one used is the last one to go
  if (decoded.size > KEPT) decoded.delete(decoded.keys().next().value);
  return known;
}

async function decode(uri) {
  const picture = new Image();
  picture.src = uri;
  await picture.decode();
  const canvas = new OffscreenCanvas(data.width, data.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const colours = context.getImageData(0, 0, data.width, data.height).data;
  return Uint8Array.from({ length: data.width * data.height }, (_, i) => colours[4 * i]);
}

/** The grey level below which a share of the pixels lies, 0 to 1. */
export function quantile(levels, share) {
  const sorted = Uint8Array.from(levels).sort();
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)];
}
