// What is seen of using points, in one language. What comes first to somebody who cannot see it has
// tabindex -1: the focus goes there.

import { countDown } from "./points-countdown.js";
import { actionButton, element, isWebAddress, webAddress } from "./points-elements.js";
import { wholeNumber } from "./points-numbers.js";
import { presenter } from "./points-present.js";

const GOOD_NEWS = new Set(["released", "time_over", "used", "hold_ended"]);

/**
 * The views of one language.
 *
 * @param {string} locale
 * @param {{storefront?: string, contactUrl?: string}} links where the cart's link leads, if not to the address that the
 *   API gives, and the shop's contact page
 */
export function holdViews(locale, { storefront, contactUrl }) {
  const say = presenter(locale);
  const text = say.text.hold;

  function heading() {
    return element("h3", {}, text.heading);
  }

  /** How something ended. What is wrong with the amount stands beside it in the form. */
  function message({ code, what, retryAfter = 60 }) {
    if (code === "amount_wrong") return null;
    const otherwise = what === "releasing" ? text.notReleased : text.notHeld;
    const words = code === "rate_limited" ? tooSoon(retryAfter) : (text.messages[code] ?? otherwise);
    const good = GOOD_NEWS.has(code);
    return element(
      "p",
      { class: good ? "pb-good" : "pb-message", tabindex: "-1", "data-part": good ? null : "error" },
      code === "hold_failed_by_setting" ? withContact(words) : words,
    );
  }

  /** What asks customers to contact the shop, with a link there if the page knows where that is. */
  function withContact(words) {
    const address = webAddress(contactUrl);
    if (!address) return words;
    const [before, after] = words.split(text.contact);
    return [before, element("a", { href: address, class: "pb-word", "data-part": "contact" }, text.contact), after];
  }

  function tooSoon(seconds) {
    return text.tooSoon(say.duration(seconds > 60 ? 60 * Math.ceil(seconds / 60) : seconds));
  }

  function progress(busy) {
    return element("p", { class: "pb-progress", tabindex: "-1" }, [
      element("span", { class: "pb-spinner", "aria-hidden": "true" }),
      busy === "holding" ? text.holding : text.givingBack,
    ]);
  }

  /** The form: all points are proposed, so that one click is enough. */
  function form(points, amount, most, message, { submit, typed }) {
    const wrong = message?.code === "amount_wrong";
    const input = element("input", {
      id: "pb-amount",
      class: "pb-input",
      inputmode: "numeric",
      autocomplete: "off",
      "aria-describedby": `${wrong ? "pb-amount-wrong " : ""}pb-amount-worth pb-amount-hint`,
      "aria-invalid": wrong && "true",
    });
    const worth = element("p", { id: "pb-amount-worth", class: "pb-equals" });
    const update = () => {
      const wanted = wholeNumber(input.value);
      const money = wanted >= 1 && wanted <= most ? say.worthOf(points, wanted) : null;
      worth.textContent = money ? text.worth(say.count(wanted), money) : "";
      typed(input.value);
    };
    input.value = amount ?? String(most);
    input.addEventListener("input", update);
    update();
    const all = actionButton(
      text.all,
      () => {
        input.value = String(most);
        update();
        input.focus();
      },
      { quiet: true },
    );
    const made = element("form", { class: "pb-form", "data-part": "hold-form", novalidate: "" }, [
      element("label", { for: "pb-amount" }, text.amount),
      element("div", { class: "pb-line" }, [input, all]),
      wrong &&
        element("p", { id: "pb-amount-wrong", class: "pb-message", "data-part": "error" }, text.amountWrong(say.number(most))),
      worth,
      element("p", { id: "pb-amount-hint", class: "pb-note" }, [
        element("span", { class: "pb-hidden" }, `${text.hint(say.number(most))}. `),
        say.codeLimit(points),
      ]),
      element("button", { class: "pb-button pb-main" }, text.submit),
    ]);
    made.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(input.value);
    });
    return made;
  }

  /** The open hold, whatever its state, which ends at `endsAt`; `startClock` is for when it stands in the page. */
  function held(hold, endsAt, { release, retry, announce }) {
    const isReady = hold.state === "ready";
    const clock = element("p", { class: "pb-clock", role: "timer", "data-part": "countdown" });
    const write = (seconds, endsAt) => {
      clock.textContent = say.timeLeft(seconds, endsAt);
    };
    const announceLeft = (seconds) => isReady && announce(text.left(say.duration(seconds)));
    const part = element("div", { class: "pb-held" }, isReady ? ready(hold, clock, release, announce) : unready(hold, endsAt, release, retry));
    return { part, startClock: (deadline, over) => countDown(write, deadline, announceLeft, over) };
  }

  function ready(hold, clock, release, announce) {
    return [
      result(text.ready(say.count(hold.points))),
      ticket(hold, clock, announce),
      element("p", { class: "pb-note" }, text.how),
      cancel(release),
    ];
  }

  function unready(hold, endsAt, release, retry) {
    const { title, note, act } = say.unready(hold, endsAt);
    const isPreparing = hold.state === "preparing";
    return [
      result(title),
      element("p", { class: "pb-note" }, note),
      actionButton(act, isPreparing ? retry : release, { quiet: !isPreparing }),
      isPreparing && cancel(release),
    ];
  }

  function result(words) {
    return element("p", { class: "pb-good", tabindex: "-1" }, words);
  }

  function cancel(release) {
    return actionButton(text.release, release, { plain: true });
  }

  function ticket({ discount_code: code, discount_amount: worth, currency, cart_url: url }, clock, announce) {
    const field = element("code", { class: "pb-code", "data-part": "code" }, code);
    const result = element("p", { class: "pb-note", "aria-hidden": "true" });
    const copied = (words) => {
      result.textContent = words;
      announce(words);
    };
    const copy = async () => {
      copied((await isCopied(code)) ? text.copied : text.copyByHand);
      if (result.textContent === text.copyByHand) getSelection().selectAllChildren(field);
    };
    return element("div", { class: "pb-ticket" }, [
      element("div", { class: "pb-ticket-top" }, [
        worth && element("p", { class: "pb-off" }, text.codeWorth(say.amountInText(worth, currency))),
        clock,
      ]),
      element("p", { class: "pb-code-line" }, [element("span", { class: "pb-hidden" }, `${text.code} `), field]),
      element("div", { class: "pb-line" }, [
        cartLink(url),
        actionButton(text.copy, copy, { quiet: true }),
      ]),
      result,
    ]);
  }

  function cartLink(url) {
    const target = storefront && url ? url.replace(/^https:\/\/[^/]+/, storefront) : url;
    if (!isWebAddress(target)) return null;
    return element("a", { class: "pb-button pb-main", href: target, "data-part": "cart-link" }, text.cart);
  }

  return { locale, heading, message, progress, form, held };
}

/** Put a text on the clipboard; false where the browser does not let us. */
async function isCopied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
