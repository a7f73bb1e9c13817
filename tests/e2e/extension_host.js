// Shopify's host for an extension, as far as the extensions see it: elements that can be seen and used, and `shopify`.
// `HOST` was set before: {locale, texts, settings, token, stored, order, customer, subtotal}.

class Signal {
  constructor(value) {
    this.value = value;
  }
}

class Element extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    this.attachShadow({ mode: "open" }).innerHTML = "<slot></slot>";
    this.draw();
  }
  attributeChangedCallback() {
    if (this.shadowRoot) this.draw();
  }
  draw() {}
}

class Headed extends Element {
  static observedAttributes = ["heading"];
  draw() {
    const heading = document.createElement(this.localName === "s-page" ? "h1" : "h2");
    heading.textContent = this.getAttribute("heading");
    this.shadowRoot.replaceChildren(heading, document.createElement("slot"));
  }
}

class Button extends Element {
  static observedAttributes = ["loading", "disabled"];
  draw() {
    const button = document.createElement("button");
    button.type = "button";
    button.disabled = ["loading", "disabled"].some((name) => this.hasAttribute(name) && this.getAttribute(name) !== "false");
    button.append(document.createElement("slot"));
    button.addEventListener("click", () => this.act());
    this.shadowRoot.replaceChildren(button);
  }
  act() {
    const copied = this.getAttribute("commandfor");
    if (copied) {
      HOST.copied = document.getElementById(copied).getAttribute("text");
      document.getElementById(copied).dispatchEvent(new Event("copy"));
    }
    if (this.getAttribute("type") === "submit") this.closest("s-form").dispatchEvent(new Event("submit"));
  }
}

class TextField extends Element {
  static observedAttributes = ["label", "error"];
  get value() {
    return this.typed ?? "";
  }
  set value(text) {
    this.typed = text;
    if (this.input && this.input.value !== text) this.input.value = text;
  }
  draw() {
    if (!this.input) {
      this.input = document.createElement("input");
      this.input.value = this.value;
      this.input.addEventListener("input", (event) => {
        event.stopPropagation();
        this.typed = this.input.value;
        this.dispatchEvent(new Event("input", { bubbles: true }));
      });
      this.wrong = document.createElement("p");
      this.shadowRoot.replaceChildren(this.input, this.wrong);
    }
    this.input.setAttribute("aria-label", this.getAttribute("label"));
    this.wrong.textContent = this.getAttribute("error") ?? "";
  }
}

const OTHERS = "badge box clipboard-item divider form heading link list-item paragraph skeleton-paragraph spinner stack text time unordered-list";
for (const name of OTHERS.split(" ")) customElements.define(`s-${name}`, class extends Element {});
for (const name of ["page", "section", "banner"]) customElements.define(`s-${name}`, class extends Headed {});
customElements.define("s-button", Button);
customElements.define("s-text-field", TextField);

HOST.targets = {};
HOST.changes = [];
HOST.toasts = [];
globalThis.shopify = {
  extend: (target, act) => {
    HOST.targets[target] = act;
  },
  setSignals(Live) {
    const live = (parts) => {
      for (const [name, part] of Object.entries(parts)) {
        if (part instanceof Signal) parts[name] = new Live(part.value);
        else if (part && Object.getPrototypeOf(part) === Object.prototype) live(part);
      }
    };
    live(shopify);
  },
  extension: { rendered: new Signal(true), target: HOST.target },
  sessionToken: { get: async () => HOST.token },
  settings: new Signal(HOST.settings),
  localization: { extensionLanguage: new Signal({ isoCode: HOST.locale }) },
  i18n: {
    translate: (key, values = {}) =>
      Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{{${name}}}`, value), HOST.texts[key]),
  },
  storage: {
    read: async (name) => HOST.stored[name] ?? null,
    write: async (name, value) => {
      HOST.stored[name] = structuredClone(value);
    },
    delete: async (name) => {
      delete HOST.stored[name];
    },
  },
  toast: { show: async (text) => HOST.toasts.push(text) },
  order: new Signal(HOST.order),
  buyerIdentity: { customer: new Signal(HOST.customer) },
  instructions: new Signal({ discounts: { canUpdateDiscountCodes: true } }),
  cost: { subtotalAmount: new Signal(HOST.subtotal) },
  discountCodes: new Signal([]),
  applyDiscountCodeChange: async (change) => {
    HOST.changes.push(change);
    const others = shopify.discountCodes.value.filter(({ code }) => code !== change.code);
    shopify.discountCodes.value = change.type === "addDiscountCode" ? [...others, { code: change.code }] : others;
    return { type: "success" };
  },
};
