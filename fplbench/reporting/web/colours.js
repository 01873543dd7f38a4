// Tables from grey levels and differences to colours on the screen, 0xAABBGGRR as canvases store them.

const ORANGE = [230, 159, 0]; // Okabe and Ito (2008), as light as their sky blue, so that both signs stand out equally
const SKY_BLUE = [86, 180, 233];

function packed(red, green, blue) {
  return ((255 << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
}

/** The grey on the screen, 0 to 255, of a stored grey level: DICOM's linear exact window (PS3.3 C.11.2.1.3.2). */
export function windowed(level, low, high) {
  return Math.min(Math.max(Math.round(((level - low) / (high - low)) * 255), 0), 255);
}

/** Colours of the 256 grey levels in a window. */
export function windowTable(low, high) {
  return Uint32Array.from({ length: 256 }, (_, level) => {
    const grey = windowed(level, low, high);
    return packed(grey, grey, grey);
  });
}

/** Colours of the differences -255 to 255, at index difference + 255: sky blue below 0, black at 0, orange above. */
export function differenceTable(range) {
  return Uint32Array.from({ length: 511 }, (_, i) => {
    const share = Math.min(Math.abs(i - 255) / range, 1);
    return packed(...(i < 255 ? SKY_BLUE : ORANGE).map((channel) => channel * share));
  });
}

/** The scale of differences as a CSS gradient. */
export const DIFFERENCE_GRADIENT = `linear-gradient(to right, rgb(${SKY_BLUE}), rgb(0 0 0), rgb(${ORANGE}))`;
