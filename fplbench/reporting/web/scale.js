// The bar that says what the greys or colours of the viewer mean.

import { data, featureScale, formatted, hounsfieldPerLevel, levelText, methodLabel, withSign } from "./data.js";
import { DIFFERENCE_GRADIENT } from "./colours.js";
import { byId, setText } from "./dom.js";
import { onChange, state } from "./state.js";

const GREYS = "linear-gradient(to right, black, white)";

/** A number in three significant digits. */
export function significant(value) {
  return Number(value.toPrecision(3)).toString().replace("-", "\u2212");
}

function barOf() {
  if (state.view === "features") return featureBar();
  if (state.view === "difference") return differenceBar();
  const end = (level) => (data.window ? levelText(level) : `grey level ${formatted(level, 0)}`);
  return { gradient: GREYS, black: end(state.low), middle: "", white: end(state.high), meaning: "Image" };
}

function featureBar() {
  const scale = featureScale(state.noise);
  if (!scale) return { gradient: "none", black: "", middle: "", white: "", meaning: "" };
  const [black, white] = scale;
  const meaning = "Feature maps of the restoration network";
  const middle = black < 0 && white > 0 ? "0" : "";
  return { gradient: GREYS, black: significant(black), middle, white: significant(white), meaning, zero: -black / (white - black) };
}

function differenceBar() {
  const unit = hounsfieldPerLevel();
  const end = (levels) => (unit ? `${withSign(levels * unit, 0)} HU` : `${withSign(levels, 0)} grey levels`);
  const meaning =
    state.of === "clean" ? "Each image minus the clean one" : `${methodLabel(state.right)} minus ${methodLabel(state.left)}`;
  return { gradient: DIFFERENCE_GRADIENT, black: end(-state.range), middle: "0", white: end(state.range), meaning };
}

/** Set up the scale bar. */
export function startScale() {
  const update = () => {
    const { gradient, zero = 0.5, ...texts } = barOf();
    byId("scale-colours").style.background = gradient;
    byId("scale-middle").style.left = `${100 * zero}%`;
    for (const [name, text] of Object.entries(texts)) setText(byId(`scale-${name}`), text);
  };
  onChange(update);
  update();
}
