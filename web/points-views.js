// What is seen of a customer's points, in one language, but for what using points looks like.

import { actionButton, element, isWebAddress } from "./points-elements.js";
import { withMinus } from "./points-numbers.js";
import { isNew, presenter } from "./points-present.js";

/** The views of one language. */
export function views(locale) {
  const say = presenter(locale);
  const { text } = say;

  /** The one number, what it is worth, and what will change it. */
  function summary(points, entries) {
    const { number, unit, worth, where } = say.headline(points);
    const expiring = say.expiring(points);
    const pending = say.pending(points, entries);
    const held = say.held(points);
    const debt = say.debt(points);
    const nothingLeft = say.nothingLeft(points);
    return [
      element("h2", {}, text.headline),
      number === null ? unknown(points.display.balance) : headline(number, unit),
      worth && element("p", { class: "pb-worth", "data-part": "worth" }, worth),
      where && element("p", { class: "pb-where", "data-part": "where" }, where),
      debt && element("p", { class: "pb-message", "data-part": "debt" }, debt),
      ...say.paused(points).map(({ kind, sentence }) => element("p", { class: "pb-message", "data-part": `paused-${kind}` }, sentence)),
      nothingLeft && element("p", { class: "pb-where", "data-part": "nothing-left" }, nothingLeft),
      element("ul", { class: "pb-facts" }, [
        held && fact(held, "held"),
        expiring && fact(expiring.sentence, "expiring", expiring.isSoon ? "pb-soon" : "pb-last-day"),
        pending && fact(pending, "pending"),
        nothingLeft && points.earning && fact(say.howToEarn(points), "earning"),
      ]),
      isNew(points) && firstSteps(points),
    ];
  }

  function headline(number, unit) {
    const made = element("p", { class: "pb-balance" }, [
      element("span", { "data-part": "headline" }, number),
      " ",
      element("span", { class: "pb-unit" }, unit),
    ]);
    // The more there is to be written, the smaller it is on a narrow screen.
    made.style.setProperty("--pb-characters", number.length);
    return made;
  }

  function unknown(words) {
    return element("p", { class: "pb-unknown", "data-part": "headline" }, words);
  }

  function fact(sentence, part, name) {
    return element("li", { "data-part": part, class: name }, sentence);
  }

  /** What the till says, its errors included; nothing where it has nothing to add. */
  function store(points, reload) {
    const said = say.store(points);
    if (!said) return [];
    const { parts, message, action, note, isPending } = said;
    const label = said.label && element("span", { class: "pb-store-label" }, said.label);
    return [
      (parts.length > 0 || !message) && element("p", { class: "pb-store-line pb-dotted" }, dotted(parts, label)),
      !parts.length && message && element("p", { class: "pb-store-line" }, [label, message]),
      parts.length > 0 && message && element("p", { class: "pb-message" }, message),
      note && element("p", { class: "pb-note" }, note),
      action === "reload" && !isPending && actionButton(text.reload, reload, { quiet: true }),
    ].filter(Boolean);
  }

  /** The API itself did not answer, so the words are this page's own. */
  function outage(reload) {
    return [
      element("h2", {}, text.heading),
      unknown(text.unavailable),
      element("div", { class: "pb-status", "data-part": "error" }, [
        element("p", {}, text.pointsAreSafe),
        actionButton(text.reload, reload),
        element("p", { class: "pb-note" }, text.checkAtStore),
      ]),
    ];
  }

  function login(url) {
    return [
      element("h2", {}, text.heading),
      element("div", { class: "pb-status", "data-part": "error" }, [
        element("p", { class: "pb-message" }, text.loginFirst),
        isWebAddress(url) && element("a", { class: "pb-button", href: url }, text.login),
      ]),
    ];
  }

  /** The history; `append` adds a page and returns the first row that it added. */
  function history(entries, cursor, timeZone, more) {
    const rows = entries.map((entry) => say.row(entry, timeZone)).filter(Boolean);
    const list = element("ul", { class: "pb-rows" }, rows.map(row));
    const status = element("p", { class: "pb-note", role: "status" });
    const button = actionButton(text.more, () => more(), { quiet: true });
    button.hidden = !cursor;
    const isEmpty = rows.length === 0 && !cursor;
    return {
      parts: [
        element("h3", {}, text.historyHeading),
        isEmpty ? element("p", { class: "pb-empty" }, text.noHistory) : list,
        status,
        button,
      ],
      rows: () => list.children.length,
      wait() {
        status.textContent = "";
        button.setAttribute("aria-disabled", "true");
      },
      fail() {
        button.removeAttribute("aria-disabled");
        status.textContent = text.moreFailed;
      },
      append(newer, isLast) {
        const added = newer.map((entry) => say.row(entry, timeZone)).filter(Boolean).map(row);
        button.removeAttribute("aria-disabled");
        button.hidden = isLast;
        list.append(...added);
        const shown = added.length ? text.moreShown(say.number(added.length), added.length) : "";
        status.textContent = `${shown} ${isLast ? text.allShown : ""}`.trim();
        // The button may be gone now: who uses a keyboard goes on with what is new.
        added[0]?.focus({ preventScroll: true });
      },
    };
  }

  function row({ title, details, points, change, kind }) {
    const sign = change > 0 ? "pb-number pb-plus" : change < 0 ? "pb-number" : "pb-number pb-still";
    return element("li", { tabindex: "-1", "data-kind": kind }, [
      element("span", { class: "pb-what" }, [
        element("span", { class: "pb-row-title" }, title),
        element("span", { class: "pb-row-details pb-dotted" }, dotted(details)),
      ]),
      element("span", { class: sign }, points),
    ]);
  }

  /** Parts of a line with dots between them, after a label; where the line breaks, the style hides the dot. */
  function dotted(parts, label) {
    return parts.flatMap((part, place) => {
      const before = place > 0 ? [element("span", { class: "pb-dot" }, "· ")] : label ? [label] : [];
      return [place > 0 && " ", element("span", { class: "pb-part" }, [...before, element("span", { class: "pb-said" }, part)])];
    });
  }

  function historyOutage(reload) {
    return [
      element("h3", {}, text.historyHeading),
      element("p", { class: "pb-empty", "data-part": "error" }, text.unavailable),
      actionButton(text.reload, reload, { quiet: true }),
    ];
  }

  /** How points work: what teaches somebody who has none yet, and is folded away for all others. */
  function firstSteps(points) {
    return element("div", { class: "pb-new" }, [element("h3", {}, text.emptyHeading), ruleList(say.firstRules(points))]);
  }

  function rules(points) {
    return element("details", { "data-fold": "rules" }, [element("summary", {}, text.howHeading), ruleList(say.rules(points))]);
  }

  function ruleList(sentences) {
    return element("ul", { class: "pb-rules" }, sentences.map((sentence) => element("li", {}, sentence)));
  }

  /** All numbers and all last days, folded away. */
  function figures(points) {
    const ends = points.expiring.map((lot) => [say.day(lot.expires_on), say.count(lot.points)]);
    return element("details", { "data-fold": "figures" }, [
      element("summary", {}, text.detailsHeading),
      element("dl", { class: "pb-figures" }, pairs(say.figures(points))),
      element("h4", {}, text.expiringHeading),
      ends.length
        ? element("dl", { class: "pb-figures" }, pairs(ends))
        : element("p", { class: "pb-empty" }, text.noExpiring),
    ]);
  }

  function pairs(rows) {
    return rows.map(([name, value]) =>
      element("div", {}, [element("dt", {}, name), element("dd", {}, withMinus(value))]),
    );
  }

  function skeleton() {
    const bars = ["pb-bar pb-bar-tall", "pb-bar pb-bar-wide", "pb-bar"];
    return [
      element("h2", {}, text.heading),
      element("p", { class: "pb-hidden", role: "status" }, text.loading),
      ...bars.map((name) => element("div", { class: name, "aria-hidden": "true" })),
    ];
  }

  return { summary, store, outage, login, history, historyOutage, rules, figures, skeleton };
}
