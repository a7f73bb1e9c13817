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
import { actionButton, element } from "./points-elements.js";
import { holdSection } from "./points-hold.js";
import { numbers, withMinus } from "./points-numbers.js";
import { texts } from "./points-texts.js";

/**
 * Show the section in `root` and keep it there.
 *
 * @param {HTMLElement} root an empty element
 * @param {{apiUrl: string, token?: () => string | null | Promise<string | null>, cookie?: RequestCredentials,
 *   locale?: string}} options
 * @returns {{reload: () => Promise<void>, setLocale: (locale: string) => Promise<void>}}
 */
export function mountPoints(root, { apiUrl, token, cookie, locale = "en" }) {
  const api = pointsApi(apiUrl, token, cookie);
  const holds = holdSection(api, { refresh, reload });
  let language = locale;
  let turn = 0;
  root.tabIndex = -1;

  /** Begin anew, with nothing to be seen until there is an answer. */
  async function reload() {
    const view = views(language);
    const hadFocus = root.contains(document.activeElement);
    root.lang = language;
    root.classList.add("pb");
    root.setAttribute("aria-busy", "true");
    root.replaceChildren(view.skeleton());
    // The button that was pressed is gone: who uses a keyboard goes on from here.
    if (hadFocus) root.focus({ preventScroll: true });

    const answers = await ask();
    if (answers) show(view, answers);
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
    if (!unread) show(views(language), answers);
    return !unread;
  }

  /** Return the answers, or null if a newer request was sent meanwhile: they are not shown then. */
  async function ask() {
    const mine = ++turn;
    const answers = await Promise.allSettled([api.points(language), api.history()]);
    return mine === turn ? answers : null;
  }

  function show(view, [points, history]) {
    replaceParts(root, sections(view, points, history));
    root.removeAttribute("aria-busy");
  }

  function sections(view, points, history) {
    if (points.status === "rejected") {
      const { status, loginUrl } = points.reason;
      holds.leave();
      return [status === 401 ? view.login(loginUrl) : view.outage(reload)];
    }
    const { display, till, figures, expiring } = points.value;
    holds.show(points.value, language);
    return [
      view.summary(display, till, reload),
      holds.element,
      view.figures(figures),
      view.expiring(expiring),
      historySection(view, history),
    ];
  }

  function historySection(view, history) {
    if (history.status === "rejected") return view.historyOutage(reload);
    const section = view.history(history.value.entries, history.value.next_cursor, more);
    async function more(cursor) {
      const page = await api.history(cursor);
      section.append(page.entries, page.next_cursor);
    }
    return section.element;
  }

  reload();
  return {
    reload,
    setLocale(next) {
      language = next;
      return reload();
    },
  };
}

/** Put `parts` into `root`. What is there already stays where it is, with the focus in it. */
function replaceParts(root, parts) {
  const old = [...root.children];
  if (old.length !== parts.length) {
    root.replaceChildren(...parts);
    return;
  }
  parts.forEach((part, place) => {
    if (part !== old[place]) old[place].replaceWith(part);
  });
}

/** Everything that can be seen, in one language, but for what using points looks like. */
function views(locale) {
  const text = texts[locale] ?? texts.en;
  const number = numbers(locale);
  const signed = numbers(locale, { signDisplay: "exceptZero" });
  // Days have no time of day: read and written in one zone they stay the day they are.
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" });
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

  function summary(display, till, reload) {
    const failed = display.action === "reload";
    const isBalance = till.balance !== null || till.status === "disabled";
    return element("section", { class: "pb-summary" }, [
      element("div", { class: "pb-top" }, [
        element("h2", {}, text.heading),
        display.rank &&
          element("span", { class: "pb-rank", "data-rank": till.rank ?? "" }, display.rank),
      ]),
      display.balance && balance(withMinus(display.balance), isBalance),
      display.expiry && element("p", { class: "pb-expiry" }, text.validThrough(display.expiry)),
      element("div", { class: "pb-status", role: "status" }, [
        display.message && element("p", { class: "pb-message" }, display.message),
        failed && reloadButton(reload),
        display.note && element("p", { class: "pb-note" }, display.note),
      ]),
    ]);
  }

  /** The balance; `isBalance` is false for a text in its place. */
  function balance(shown, isBalance) {
    const made = element("p", { class: isBalance ? "pb-balance" : "pb-balance pb-unknown" }, [
      shown,
      isBalance && element("span", { class: "pb-unit" }, text.unit),
    ]);
    // The more there is to be written, the smaller it is on a narrow screen.
    made.style.setProperty("--pb-characters", shown.length);
    return made;
  }

  /** The API itself did not answer, so the words are this page's own. */
  function outage(reload) {
    const display = {
      balance: text.noBalance,
      expiry: null,
      rank: null,
      message: text.unavailable,
      action: "reload",
      note: text.checkAtStore,
    };
    return summary(display, { balance: null, status: "unavailable", rank: null }, reload);
  }

  function login(url) {
    return element("section", { class: "pb-summary" }, [
      element("h2", {}, text.heading),
      element("div", { class: "pb-status", role: "status" }, [
        element("p", { class: "pb-message" }, text.loginFirst),
        isWebAddress(url) && element("a", { class: "pb-button", href: url }, text.login),
      ]),
    ]);
  }

  function figures(values) {
    return element("section", {}, [
      element("h3", {}, text.figuresHeading),
      element(
        "dl",
        { class: "pb-figures" },
        Object.entries(text.figures).map(([name, label]) =>
          element("div", {}, [
            element("dt", {}, label),
            element("dd", {}, number(values[name])),
          ]),
        ),
      ),
    ]);
  }

  function expiring(lots) {
    const rows = lots.map((lot) =>
      element("li", {}, [
        element("span", {}, day.format(new Date(lot.expires_on))),
        element("span", { class: "pb-number" }, text.points(number(lot.points))),
      ]),
    );
    return element("section", {}, [
      element("h3", {}, text.expiringHeading),
      rows.length ? element("ul", { class: "pb-rows" }, rows) : emptyLine(text.noExpiring),
    ]);
  }

  function history(entries, cursor, more) {
    const list = element("ul", { class: "pb-rows" }, entries.map(entryRow));
    const button = element("button", { type: "button", class: "pb-button pb-quiet" }, text.more);
    const parts = entries.length ? [list, button] : [emptyLine(text.noHistory)];
    let next = cursor;
    button.hidden = !next;
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await more(next);
      } catch {
        // The list stays as it is, and the button can be pressed again.
      } finally {
        button.disabled = false;
      }
    });
    return {
      element: element("section", {}, [element("h3", {}, text.historyHeading), ...parts]),
      append(newer, newerCursor) {
        next = newerCursor;
        list.append(...newer.map(entryRow));
        button.hidden = !next;
      },
    };
  }

  function entryRow(entry) {
    const delta = entry.approved_delta;
    return element("li", {}, [
      element("span", { class: "pb-what" }, [
        element("span", {}, entry.reason || text.topics[entry.topic] || text.otherEntry),
        element("time", { datetime: entry.at }, moment.format(new Date(entry.at))),
      ]),
      // A movement that leaves the available points as they are has no number to show.
      delta !== 0 &&
        element(
          "span",
          { class: delta < 0 ? "pb-number" : "pb-number pb-plus" },
          text.points(signed(delta)),
        ),
    ]);
  }

  function historyOutage(reload) {
    return element("section", {}, [
      element("h3", {}, text.historyHeading),
      emptyLine(text.unavailable),
      reloadButton(reload),
    ]);
  }

  function skeleton() {
    const bars = ["pb-bar pb-bar-wide", "pb-bar pb-bar-tall", "pb-bar", "pb-bar", "pb-bar"];
    return element("section", { class: "pb-skeleton" }, [
      element("p", { class: "pb-hidden", role: "status" }, text.loading),
      ...bars.map((name) => element("div", { class: name, "aria-hidden": "true" })),
    ]);
  }

  function reloadButton(reload) {
    return actionButton(text.reload, reload);
  }

  return { summary, outage, login, figures, expiring, history, historyOutage, skeleton };
}

function emptyLine(text) {
  return element("p", { class: "pb-empty" }, text);
}

function isWebAddress(url) {
  return /^https?:\/\//.test(url ?? "");
}
