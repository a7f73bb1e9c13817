// The demo's my page: a greeting, the point section, and a switch that logs demo customers in.
// The switch calls the reverse proxy of the laptop stack, which exists nowhere else. The choice is kept in
// the address, as ?customer= (empty: nobody) and ?locale=, so that it survives a reload.

import { mountPoints } from "./points.js";

const texts = {
  en: {
    title: "My page",
    hello: (name) => `Hello, ${name}`,
    nobody: "Welcome",
    switchLabel: "Logged in as",
    switchNote: "This switch exists on a laptop only.",
    loggedOut: "nobody",
  },
  ja: {
    title: "マイページ",
    hello: (name) => `${name} 様`,
    nobody: "ようこそ",
    switchLabel: "ログイン中のお客様",
    switchNote: "この切り替えはローカル環境にのみあります。",
    loggedOut: "ログアウト",
  },
};

const greeting = document.querySelector("#greeting");
const customers = document.querySelector("#customer");
const languageButtons = [...document.querySelectorAll("[data-locale]")];
const query = new URLSearchParams(location.search);

let locale = firstLocale();
let session = null;

if (query.has("customer")) customers.value = query.get("customer");
await logIn(customers.value);
speak();
const points = mountPoints(document.querySelector("#points"), {
  apiUrl: "/api/v1",
  token: () => session?.session_token ?? null,
  locale,
  storefront: session?.storefront_url,
});

customers.addEventListener("change", async () => {
  keep("customer", customers.value);
  await logIn(customers.value);
  speak();
  points.reload();
});
for (const button of languageButtons) {
  button.addEventListener("click", () => {
    locale = button.dataset.locale;
    keep("locale", locale);
    speak();
    points.setLocale(locale);
  });
}

async function logIn(customerId) {
  session = null;
  if (!customerId) return;
  const answer = await fetch("/_login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ customer_id: customerId }),
  });
  if (answer.ok) session = await answer.json();
}

function keep(name, value) {
  query.set(name, value);
  history.replaceState(null, "", `?${query}`);
}

function speak() {
  const text = texts[locale];
  document.documentElement.lang = locale;
  document.title = text.title;
  greeting.textContent = session ? text.hello(session.name) : text.nobody;
  document.querySelector("#switch-label").textContent = text.switchLabel;
  document.querySelector("#switch-note").textContent = text.switchNote;
  customers.options[customers.options.length - 1].text = text.loggedOut;
  for (const button of languageButtons) {
    button.setAttribute("aria-pressed", String(button.dataset.locale === locale));
  }
}

function firstLocale() {
  const wanted = query.get("locale") ?? navigator.language;
  return wanted.startsWith("ja") ? "ja" : "en";
}
