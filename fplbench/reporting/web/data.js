// What the page shows, as Python wrote it, and look-ups in it.

export const data = JSON.parse(document.getElementById("data").textContent);

const MINUS = "\u2212";

/** Entry of a list of {name, ...} by name. */
export function named(list, name) {
  return list.find((entry) => entry.name === name);
}

/** Label of a method, or its name if it has none. */
export function methodLabel(name) {
  return named(data.methods, name)?.label || name;
}

/** Full name of a noise. */
export function noiseTitle(name) {
  const noise = named(data.noises, name);
  return noise ? noise.title || noise.label : name;
}

/** A number with a fixed number of digits and a true minus sign; an en dash for null. */
export function formatted(value, digits) {
  if (value === null || value === undefined) return "\u2013";
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", MINUS);
}

/** As `formatted`, with a plus sign before positive numbers. */
export function withSign(value, digits) {
  const text = formatted(value, digits);
  return Number(value.toFixed(digits)) > 0 ? `+${text}` : text;
}

/** HU of a grey level, or null if grey levels of this data set are not HU. */
export function hounsfield(level) {
  return data.window ? data.window[0] + (level / 255) * (data.window[1] - data.window[0]) : null;
}

/** HU that one grey level spans, or null. */
export function hounsfieldPerLevel() {
  return data.window ? (data.window[1] - data.window[0]) / 255 : null;
}

/** A grey level as a text: in HU if the data set has them. */
export function levelText(level) {
  return data.window ? `${formatted(hounsfield(level), 0)} HU` : formatted(level, 0);
}

/** data: URI of a method's image, or undefined if the page has none. */
export function imageUri(noise, method, image) {
  return method === "clean" ? data.pixels.clean[image] : data.pixels[noise]?.[method]?.[image];
}

/** data: URI of the feature map of a method's image, or undefined. */
export function featureUri(noise, method, image) {
  return data.features?.[noise]?.maps?.[method]?.[image];
}

/** [black, white] of the feature maps of a noise, or undefined if it has none. */
export function featureScale(noise) {
  return data.features?.[noise]?.scale;
}

/** Scores of a metric for all test images, or undefined. */
export function scoresOf(noise, method, metric) {
  return data.scores.values?.[noise]?.[method]?.[metric];
}

/** Mean of a metric, or null. */
export function meanOf(noise, method, metric) {
  return data.scores.means?.[noise]?.[method]?.[metric] ?? null;
}

/** Label of a metric with its unit. */
export function metricHeading(metric) {
  return metric.unit ? `${metric.label} (${metric.unit})` : metric.label;
}

/** Whether images have scores of a metric; those of inserted lesions, which are in copies of the images, are means only. */
export function hasScores(metric) {
  return data.noises.some((noise) => {
    return data.methods.some((method) => scoresOf(noise.name, method.name, metric)?.some((score) => score !== null));
  });
}

/** The metrics that images have scores of. */
export const plottable = data.scores.metrics.filter((metric) => hasScores(metric.name));

/** Where the images that the page shows are among all test images, counted from 0; -1 for none. */
export const shownPositions = data.images.map((image) => data.scores.ids.indexOf(image.id));
