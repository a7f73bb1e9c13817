// The laptop's stand-in for Shopify's admin and POS: logs a member of the demo shop's staff in and runs a bundled extension.
// The address says what is shown: ?target= (the app's own page by default), ?id= the customer or order, ?locale=, ?staff=.

import "./elements.js";

const FOLDERS = {
  "admin.app.home.render": "points-home",
  "admin.customer-details.block.render": "points-staff",
  "admin.order-details.block.render": "points-staff",
  "admin.customer-details.action.render": "points-adjust",
  "pos.home.tile.render": "points-pos",
  "pos.home.modal.render": "points-pos",
  "pos.customer-details.block.render": "points-pos",
  "pos.customer-details.action.render": "points-pos",
};
const TEXTS = {
  en: { who: "Logged in as", note: "This page exists on a laptop only. Shopify's admin shows the same extension with its own elements.", build: "Run `make build-extensions`, then reload this page." },
  ja: { who: "ログイン中のスタッフ", note: "このページはローカル環境にのみあります。Shopifyの管理画面では、同じ画面がShopifyの部品で表示されます。", build: "`make build-extensions`を実行してから、再読み込みしてください。" },
};

const query = new URLSearchParams(location.search);
const target = query.get("target") ?? "admin.app.home.render";
const locale = query.get("locale") === "ja" ? "ja" : "en";
const text = TEXTS[locale];
const id = query.get("id");

document.documentElement.lang = locale;
document.querySelector("#who-label").textContent = text.who;
document.querySelector("#note").textContent = text.note;
for (const button of document.querySelectorAll("[data-locale]")) {
  button.setAttribute("aria-pressed", String(button.dataset.locale === locale));
  button.addEventListener("click", () => open({ locale: button.dataset.locale }));
}

const { staff } = await (await fetch("/_staff")).json();
const who = document.querySelector("#who");
who.append(...staff.map(({ staff_id: value, name }) => Object.assign(document.createElement("option"), { value, textContent: name })));
who.value = query.get("staff") ?? staff[0].staff_id;
who.addEventListener("change", () => open({ staff: who.value }));

async function token() {
  const answer = await fetch("/_staff", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ staff_id: who.value }) });
  return (await answer.json()).session_token;
}

function open(changes) {
  for (const [name, value] of Object.entries(changes)) query.set(name, value);
  location.search = String(query);
}

// What the host gives an extension. Signals become live ones once the extension has brought their class.
class Signal {
  constructor(value) {
    this.value = value;
  }
}
const store = {
  get: async (name) => JSON.parse(localStorage.getItem(`staff.${name}`) ?? "null") ?? undefined,
  set: async (name, value) => localStorage.setItem(`staff.${name}`, JSON.stringify(value)),
  delete: async (name) => {
    const had = localStorage.getItem(`staff.${name}`) !== null;
    localStorage.removeItem(`staff.${name}`);
    return had;
  },
};
const kind = target.includes("order") ? "Order" : "Customer";
const inCart = query.get("cart") ?? id;
const emptyCart = { subtotal: query.get("subtotal") ?? "0", cartDiscounts: [], properties: {}, lineItems: [], customer: inCart ? { id: Number(inCart) } : undefined };
const registered = {};

globalThis.shopify = {
  extend: (name, render) => {
    registered[name] = render;
  },
  setSignals(Live) {
    for (const part of [shopify.connectivity, shopify.cart, shopify.locale, shopify.session]) {
      for (const [name, value] of Object.entries(part)) if (value instanceof Signal) part[name] = new Live(value.value);
    }
  },
  extension: { target },
  auth: { idToken: token },
  i18n: { translate: (key) => (key === "language" ? locale : key) },
  storage: store,
  data: { selected: id ? [{ id: `gid://shopify/${kind}/${id}` }] : [] },
  customer: { id: Number(id) },
  navigation: { navigate: (url) => String(url).startsWith("extension://points-adjust") && open({ target: "admin.customer-details.action.render" }) },
  action: { presentModal: () => open({ target: target.includes("customer") ? "pos.customer-details.action.render" : "pos.home.modal.render" }) },
  close: () => open({ target: "admin.customer-details.block.render" }),
  toast: { show: () => {} },
  query: async (graphql, { variables } = {}) => {
    const answer = await fetch("/_shopify", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ query: graphql, variables }) });
    return answer.json();
  },
  connectivity: { current: new Signal({ internetConnected: query.has("offline") ? "Disconnected" : "Connected" }) },
  locale: { current: new Signal(locale) },
  session: { getSessionToken: token, staffMember: new Signal(undefined), currentSession: { currency: "JPY", userId: Number(who.value) } },
  cart: {
    current: new Signal(emptyCart),
    ...Object.fromEntries(
      Object.entries({
        setCustomer: (customer) => ({ customer }),
        addCartCodeDiscount: (code) => ({ cartDiscounts: [{ amount: 0, discountDescription: code }] }),
        removeCartDiscount: () => ({ cartDiscounts: [] }),
        addCartProperties: (properties) => ({ properties }),
        removeCartProperties: () => ({ properties: {} }),
      }).map(([name, change]) => [name, async (given) => void (shopify.cart.current.value = { ...shopify.cart.current.value, ...change(given) })]),
    ),
  },
};

// Shopify resolves what is relative against the app's own address.
const { fetch: ask } = globalThis;
globalThis.fetch = (url, init) => ask(String(url).startsWith("/v1/") ? `/api${url}` : url, init);

const script = document.createElement("script");
script.src = `/extensions/${FOLDERS[target]}.js`;
script.addEventListener("error", () => {
  document.querySelector("#extension").textContent = text.build;
});
script.addEventListener("load", () => {
  // An extension draws into its document's body, which is its own; here it gets a part of the page.
  const body = document.querySelector("#extension");
  Object.defineProperty(document, "body", { value: body, configurable: true });
  registered[target]();
});
document.head.append(script);
