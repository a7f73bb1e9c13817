// Small makers of elements. Texts are set as text, never as HTML.

// Words of Japanese sentences that no line ends within, in browsers that do not know phrases and in those that do.
const WORDS = /(お問い合わせ(?:ください)?|お取り置き|ご利用(?:いただけます)?|ご注文|ご購入|いただけます|[\d,]+か月後?)/;
const SENTENCES = new Set(["p", "li"]);

/**
 * An element with attributes and children; children that are null, false or "" are left out, and attributes likewise.
 * Within a sentence (`p`, `li`) no line ends within one of its words.
 */
export function element(tag, attributes, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value);
  }
  const parts = [children].flat().filter(Boolean);
  made.append(...(SENTENCES.has(tag) ? parts.flatMap(unbroken) : parts));
  return made;
}

function unbroken(part) {
  if (typeof part !== "string") return part;
  const pieces = part.split(WORDS).filter(Boolean);
  return pieces.map((piece) => (WORDS.test(piece) ? element("span", { class: "pb-word" }, piece) : piece));
}

/** A button that does something; `quiet` is for what is not the main thing to do, `plain` for what few want to do. */
export function actionButton(label, act, { quiet = false, plain = false } = {}) {
  const name = plain ? "pb-button pb-plain" : quiet ? "pb-button pb-quiet" : "pb-button";
  const button = element("button", { type: "button", class: name }, label);
  button.addEventListener("click", act);
  return button;
}

/** An address of the web in full, such as that of `/pages/contact`; null for any other, and for none. */
export function webAddress(url) {
  if (!url) return null;
  const { href } = Object.assign(document.createElement("a"), { href: url });
  return isWebAddress(href) ? href : null;
}

/** Whether an address may be linked to: one of the web. */
export function isWebAddress(url) {
  return /^https?:\/\//.test(url ?? "");
}
