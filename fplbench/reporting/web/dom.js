// Elements. Text goes in as text, never as HTML.

/** The element of the page with an id. */
export function byId(id) {
  return document.getElementById(id);
}

/** A new element with attributes and children; strings become text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Set the text of an element, only if it differs, so that screen readers do not repeat it. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A colour of the style sheet by the name of its property. */
export function colour(property) {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}
