// The point section of a my page: shows a customer's points and says so when they cannot be shown.
//
//   import { mountPoints } from "./points.js";
//   mountPoints(document.querySelector("#points"), {
//     apiUrl: "https://example.execute-api.ap-northeast-1.amazonaws.com/v1",
//     token: () => shopify.sessionToken.get(),
//     locale: "ja",
//   });
//
// Without `token` the page's own cookie is sent, to an API of another origin only with `cookie: "include"`: that API needs
// a domain below the shop's own. Whatever goes wrong stays inside this section.

import { pointsApi } from "./points-api.js";
import { element } from "./points-elements.js";
import { holdSection } from "./points-hold.js";
import { isNew, tillIsBehind } from "./points-present.js";
import { views } from "./points-views.js";

const SLOTS = ["summary", "store", "history", "more"];
const READ_AGAIN_AFTER_MS = 5_000;
const PAGES_AT_ONCE_MAX = 5;

/**
 * Show the section in `root` and keep it there. What `root` has in it, such as a skeleton, stays until there is an answer.
 *
 * @param {HTMLElement} root
 * @param {{apiUrl: string, token?: () => string | null | Promise<string | null>, cookie?: RequestCredentials,
 *   locale?: string, storefront?: string, contactUrl?: string, postOnly?: boolean}} options `postOnly` as for `pointsApi`; `storefront` is where
 *   customers shop, such as "https://www.shop.example": the link that puts a code into the cart leads there; without it, to the shop's own
 *   domain. `contactUrl` is the shop's contact page
 * @returns {{reload: () => Promise<void>, setLocale: (locale: string) => Promise<void>}}
 */
export function mountPoints(root, { apiUrl, token, cookie, locale = "en", storefront, contactUrl, postOnly }) {
  const api = pointsApi(apiUrl, token, cookie, { postOnly });
  const holds = holdSection(api, { refresh, reload }, { storefront, contactUrl });
  const slots = Object.fromEntries(SLOTS.map((name) => [name, slot(name)]));
  let language = locale;
  let turn = 0;
  let readAt = 0;
  root.tabIndex = -1;

  /** Begin anew, with nothing to be seen until there is an answer. */
  async function reload() {
    const hadFocus = root.contains(document.activeElement);
    root.lang = language;
    root.classList.add("pb");
    root.setAttribute("aria-busy", "true");
    if (!root.children.length || root.contains(slots.summary.element)) {
      root.replaceChildren(element("div", { class: "pb-skeleton" }, views(language).skeleton()));
    }
    // The button that was pressed is gone: who uses a keyboard goes on from here.
    if (hadFocus) root.focus({ preventScroll: true });
    const answers = await ask();
    if (answers) await show(answers);
  }

  /** Read everything again while the current values stay visible; return whether that succeeded. */
  async function refresh() {
    if (root.hasAttribute("aria-busy")) {
      await reload();
      return true;
    }
    const answers = await ask();
    if (!answers) return true;
    const [points] = answers;
    const unread = points.status === "rejected" && points.reason.status !== 401;
    if (!unread) await show(answers);
    return !unread;
  }

  /** Return the answers, or null if a newer request was sent meanwhile: they are not shown then. */
  async function ask() {
    const mine = ++turn;
    readAt = Date.now();
    const answers = await Promise.allSettled([api.points(language, { known: true }), api.history()]);
    return mine === turn ? answers : null;
  }

  /** Show what is known, then what the till adds to it, if it has something newer to say. */
  async function show([points, history]) {
    if (!root.contains(slots.summary.element)) {
      const [first, ...others] = SLOTS.map((name) => slots[name].element);
      root.replaceChildren(first, holds.element, ...others);
    }
    root.removeAttribute("aria-busy");
    showParts(points, history);
    if (points.status === "fulfilled" && tillIsBehind(points.value)) await askTill(history);
  }

  /** Ask again, waiting for the till this time; if that fails, what is shown stays. */
  async function askTill(history) {
    const mine = turn;
    const [points] = await Promise.allSettled([api.points(language)]);
    if (mine === turn && points.status === "fulfilled") showParts(points, history);
  }

  function showParts(points, history) {
    const view = views(language);
    if (points.status === "rejected") {
      const { status, loginUrl } = points.reason;
      holds.leave();
      holds.element.hidden = true;
      slots.summary.fill(`outage ${language} ${status}`, () => (status === 401 ? view.login(loginUrl) : view.outage(reload)));
      for (const name of ["store", "history", "more"]) slots[name].fill("", () => []);
      return;
    }
    const { value } = points;
    const entries = history.status === "fulfilled" ? history.value.entries : [];
    const { hold, ...others } = value; // its time goes on all the while
    const look = JSON.stringify([language, others, hold?.state]);
    slots.summary.fill(look + JSON.stringify(entries), () => view.summary(value, entries));
    holds.show(value, language);
    slots.store.fill(look, () => view.store(value, reloadStore));
    showHistory(view, value, history);
    slots.more.fill(look, () => (isNew(value) ? [view.rules(value)] : [view.rules(value), view.figures(value)]));
  }

  /** The button of the store's line: ask the till again, and stay where the reader is. */
  async function reloadStore() {
    slots.store.element.setAttribute("aria-busy", "true");
    const mine = ++turn;
    const answers = await Promise.allSettled([api.points(language), api.history()]);
    slots.store.element.removeAttribute("aria-busy");
    if (mine !== turn) return;
    showParts(...answers);
    slots.store.element.focus({ preventScroll: true });
  }

  function showHistory(view, { time_zone: timeZone, customer_id: customer }, history) {
    if (history.status === "rejected") {
      slots.history.fill(`outage ${language}`, () => view.historyOutage(refresh));
      return;
    }
    const { entries, next_cursor: cursor } = history.value;
    slots.history.fill(JSON.stringify([language, customer, history.value]), () => {
      const section = view.history(entries, cursor, timeZone ?? "UTC", () => showMore(section, place));
      const place = { cursor, isBusy: false };
      return section.parts;
    });
  }

  /** Add the next page; a page whose entries all belong to other rows is followed by the one after it. */
  async function showMore(section, place) {
    if (place.isBusy) return;
    place.isBusy = true;
    section.wait();
    const found = [];
    try {
      for (let pages = 0; place.cursor && pages < PAGES_AT_ONCE_MAX && !found.some(({ row }) => row); pages++) {
        const page = await api.history(place.cursor);
        found.push(...page.entries);
        place.cursor = page.next_cursor;
      }
      section.append(found, !place.cursor);
    } catch {
      section.fail();
    } finally {
      place.isBusy = false;
    }
  }

  /** Who comes back to the page, from the cart or from another device, sees what has become of the points. */
  function comeBack() {
    if (document.visibilityState !== "visible" || Date.now() - readAt < READ_AGAIN_AFTER_MS) return;
    if (root.isConnected && !root.hasAttribute("aria-busy")) refresh();
  }
  document.addEventListener("visibilitychange", comeBack);
  window.addEventListener("pageshow", comeBack);

  reload();
  return {
    reload,
    setLocale(next) {
      language = next;
      return reload();
    },
  };
}

/** A part of the section, which is made anew only when it has something else to show: the focus stays in it. */
function slot(name) {
  const part = { store: "store", history: "history" }[name];
  const tag = name === "more" || name === "summary" ? "div" : "section";
  const place = element(tag, { class: `pb-${name}`, "data-part": part, tabindex: name === "store" && "-1" });
  if (name === "store") place.setAttribute("role", "status");
  let looked;
  function fill(look, make) {
    if (look === looked) return;
    looked = look;
    const open = new Set([...place.querySelectorAll("details[open]")].map((fold) => fold.dataset.fold));
    place.replaceChildren(...make().filter(Boolean));
    for (const fold of place.querySelectorAll("details")) fold.open = open.has(fold.dataset.fold);
    place.hidden = !place.children.length;
  }
  return { element: place, fill };
}
