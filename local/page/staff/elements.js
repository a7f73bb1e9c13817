// Elements that stand for Shopify's on the laptop: native ones inside, with a label and a focus ring, and nothing clever.


/** An element that draws itself anew whenever one of its attributes changes. */
class Drawn extends HTMLElement {
  connectedCallback() {
    if (!this.isDrawn) {
      this.isDrawn = true;
      this.setUp();
    }
    this.draw();
  }
  attributeChangedCallback() {
    if (this.isDrawn) this.draw();
  }
  setUp() {}
  draw() {}
  /** Before the children that the extension draws. */
  lead(tag) {
    this.leading ??= this.attachShadow({ mode: "open" });
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "/staff/elements.css" });
    const element = document.createElement(tag);
    this.leading.replaceChildren(sheet, element, document.createElement("slot"));
    return element;
  }
}

/** Preact sets a property where an element has one, else an attribute: these keep both alike. */
function mirrored(names, Base) {
  class Mirrored extends Base {
    static observedAttributes = names.map((name) => name.toLowerCase());
  }
  for (const name of names) {
    Object.defineProperty(Mirrored.prototype, name, {
      get() {
        return this.getAttribute(name);
      },
      set(value) {
        if (value === null || value === undefined || value === false) this.removeAttribute(name);
        else this.setAttribute(name, value === true ? "" : String(value));
      },
    });
  }
  return Mirrored;
}

const ACTS = ["primary-action", "secondary-actions"];

class Page extends mirrored(["heading"], Drawn) {
  draw() {
    this.lead("h1").textContent = this.heading;
    this.leading.append(...ACTS.map((name) => Object.assign(document.createElement("slot"), { name })));
  }
}

class Section extends mirrored(["heading"], Drawn) {
  draw() {
    this.lead("h2").textContent = this.heading;
  }
}

class Banner extends mirrored(["heading", "tone"], Drawn) {
  draw() {
    this.setAttribute("role", this.tone === "critical" ? "alert" : "status");
    this.lead("p").textContent = this.heading;
  }
}

class Button extends mirrored(["loading", "disabled", "variant"], Drawn) {
  setUp() {
    this.button = this.lead("button");
    this.button.type = "button";
    this.leading.querySelector("slot").remove();
    this.button.append(document.createElement("slot"));
  }
  draw() {
    const isBusy = this.loading !== null;
    this.button.disabled = this.disabled !== null || isBusy;
    this.button.className = this.variant ?? "secondary";
    this.button.setAttribute("aria-busy", String(isBusy));
  }
  focus() {
    this.button.focus();
  }
}

/** Its fields are in shadows of their own, where no form of the browser's finds them. */
class Form extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", (event) => {
      const [from] = event.composedPath();
      const isField = from instanceof HTMLInputElement && from.type !== "radio";
      if (event.key === "Enter" && !event.isComposing && isField) this.dispatchEvent(new Event("submit"));
    });
  }
}

let fields = 0;

class Field extends mirrored(["label", "error", "details", "placeholder"], Drawn) {
  get value() {
    return this.input ? this.input.value : (this.given ?? "");
  }
  set value(text) {
    this.given = text ?? "";
    if (this.input && this.input.value !== this.given) this.input.value = this.given;
  }
  control() {
    return "input";
  }
  setUp() {
    const name = `field-${++fields}`;
    const label = this.lead("label");
    this.caption = Object.assign(document.createElement("span"), { className: "label" });
    this.input = document.createElement(this.control());
    this.input.id = name;
    this.hint = Object.assign(document.createElement("span"), { className: "hint", id: `${name}-hint` });
    this.wrong = Object.assign(document.createElement("span"), { className: "wrong", id: `${name}-wrong` });
    this.wrong.setAttribute("role", "alert");
    label.append(this.caption, this.input);
    label.after(this.hint, this.wrong);
    this.input.setAttribute("aria-describedby", `${name}-hint ${name}-wrong`);
    this.input.value = this.given ?? "";
    for (const type of ["input", "change"]) {
      this.input.addEventListener(type, (event) => {
        event.stopPropagation();
        this.dispatchEvent(new Event(type));
      });
    }
  }
  draw() {
    this.caption.textContent = this.label;
    this.hint.textContent = this.details ?? "";
    this.wrong.textContent = this.error ?? "";
    this.input.setAttribute("aria-invalid", String(Boolean(this.error)));
    if (this.placeholder) this.input.setAttribute("placeholder", this.placeholder);
  }
}

class Select extends Field {
  control() {
    return "select";
  }
  setUp() {
    super.setUp();
    const fill = () => {
      const options = [...this.querySelectorAll("s-option")];
      this.input.replaceChildren(...options.map((one) => Object.assign(document.createElement("option"), { value: one.getAttribute("value"), textContent: one.textContent })));
      this.input.value = this.given ?? "";
    };
    new MutationObserver(fill).observe(this, { childList: true, subtree: true, characterData: true });
    queueMicrotask(fill);
  }
}

class ChoiceList extends mirrored(["label", "name"], Drawn) {
  get values() {
    return this.chosen ?? [];
  }
  set values(chosen) {
    this.chosen = chosen;
    this.mark?.();
  }
  setUp() {
    const fieldset = this.lead("fieldset");
    this.legend = document.createElement("legend");
    const name = `choices-${++fields}`;
    const fill = () => {
      const choices = [...this.querySelectorAll("s-choice")].map((one) => {
        const label = document.createElement("label");
        const input = Object.assign(document.createElement("input"), { type: "radio", name, value: one.getAttribute("value") });
        input.addEventListener("change", (event) => {
          event.stopPropagation();
          this.chosen = [input.value];
          this.dispatchEvent(new Event("change"));
        });
        label.append(input, ` ${one.textContent}`);
        return label;
      });
      fieldset.replaceChildren(this.legend, ...choices);
      this.mark();
    };
    this.mark = () => {
      for (const input of fieldset.querySelectorAll("input")) input.checked = this.values.includes(input.value);
    };
    new MutationObserver(fill).observe(this, { childList: true, subtree: true });
    queueMicrotask(fill);
  }
  draw() {
    this.legend.textContent = this.label;
  }
}

class Tile extends mirrored(["heading", "subheading", "disabled"], Drawn) {
  draw() {
    const button = this.lead("button");
    const lines = [this.heading, this.subheading].filter(Boolean).map((line) => Object.assign(document.createElement("span"), { textContent: line }));
    button.replaceChildren(...lines);
  }
}

class Spinner extends mirrored(["accessibilityLabel"], Drawn) {
  draw() {
    this.setAttribute("role", "status");
    this.setAttribute("aria-label", this.accessibilityLabel ?? "");
  }
}

const define = (name, Element) => customElements.define(`s-${name}`, Element);
for (const name of ["page", "admin-block", "admin-action", "pos-block"]) define(name, class extends Page {});
define("section", Section);
define("banner", Banner);
define("button", Button);
define("text-field", Field);
define("select", Select);
define("choice-list", ChoiceList);
define("form", Form);
define("tile", Tile);
define("spinner", Spinner);
for (const name of ["text", "stack", "heading", "badge", "divider", "scroll-box", "option", "choice"]) define(name, class extends HTMLElement {});
for (const [name, role] of Object.entries({ table: "table", "table-body": "rowgroup", "table-header-row": "row", "table-row": "row", "table-header": "columnheader", "table-cell": "cell" })) {
  define(
    name,
    class extends HTMLElement {
      connectedCallback() {
        this.setAttribute("role", role);
      }
    },
  );
}
