// Small makers of elements. Texts are set as text, never as HTML.

/** An element with attributes and children; children that are null, false or "" are left out, and attributes likewise. */
export function element(tag, attributes, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value);
  }
  made.append(...[children].flat().filter(Boolean));
  return made;
}

/** A button that does something; `quiet` is for what is not the main thing to do, `plain` for what few want to do. */
export function actionButton(label, act, { quiet = false, plain = false } = {}) {
  const name = plain ? "pb-button pb-plain" : quiet ? "pb-button pb-quiet" : "pb-button";
  const button = element("button", { type: "button", class: name }, label);
  button.addEventListener("click", act);
  return button;
}

/** Whether an address may be linked to: one of the web. */
export function isWebAddress(url) {
  return /^https?:\/\//.test(url ?? "");
}
