// What is seen of using points, in one language. What comes first to somebody who cannot see it has
// tabindex -1: the focus goes there.

import { countDown } from "./points-countdown.js";
import { actionButton, element } from "./points-elements.js";
import { numbers } from "./points-numbers.js";
import { texts } from "./points-texts.js";

const GOOD_NEWS = new Set(["released", "time_over"]);

/** The views of one language. */
export function holdViews(locale) {
  const text = (texts[locale] ?? texts.en).hold;
  const number = numbers(locale);

  function heading() {
    return element("h3", {}, text.heading);
  }

  /** How something ended. What is wrong with the amount stands beside it in the form. */
  function message({ code, what, retryAfter = 60 }) {
    if (code === "amount_wrong") return null;
    const otherwise = what === "releasing" ? text.notReleased : text.notHeld;
    const words = code === "rate_limited" ? tooSoon(retryAfter) : (text.messages[code] ?? otherwise);
    const name = GOOD_NEWS.has(code) ? "pb-strong" : "pb-message";
    return element("p", { class: name, tabindex: "-1" }, words);
  }

  function tooSoon(seconds) {
    return text.tooSoon(duration(seconds > 60 ? 60 * Math.ceil(seconds / 60) : seconds));
  }

  function progress(busy) {
    return element("p", { class: "pb-progress", tabindex: "-1" }, [
      element("span", { class: "pb-spinner", "aria-hidden": "true" }),
      busy === "holding" ? text.holding : text.givingBack,
    ]);
  }

  function form(amount, most, message, { submit, typed }) {
    const wrong = message?.code === "amount_wrong";
    const input = element("input", {
      id: "pb-amount",
      class: "pb-input",
      inputmode: "numeric",
      autocomplete: "off",
      "aria-describedby": wrong ? "pb-amount-wrong pb-amount-hint" : "pb-amount-hint",
      ...(wrong && { "aria-invalid": "true" }),
    });
    input.value = amount;
    input.addEventListener("input", () => typed(input.value));
    const all = actionButton(
      text.all,
      () => {
        input.value = String(most);
        typed(input.value);
        input.focus();
      },
      { quiet: true },
    );
    const made = element("form", { class: "pb-form" }, [
      element("label", { for: "pb-amount" }, text.amount),
      element("div", { class: "pb-line" }, [input, all]),
      wrong &&
        element("p", { id: "pb-amount-wrong", class: "pb-message" }, text.amountWrong(number(most))),
      element("p", { id: "pb-amount-hint", class: "pb-note" }, text.hint(number(most))),
      element("button", { class: "pb-button" }, text.submit),
    ]);
    made.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(input.value);
    });
    return made;
  }

  /** The open hold, whatever its state; `startClock` is for when it stands in the page. */
  function held(hold, worth, { release, retry, say }) {
    const clock = element("span", { class: "pb-clock", role: "timer" });
    const ready = hold.state === "ready";
    const act = {
      ready: () => actionButton(text.release, release, { quiet: true }),
      preparing: () => actionButton(text.tryAgain, retry),
      releasing: () => actionButton(text.tryAgain, release),
    }[hold.state];
    const part = element("div", { class: "pb-held" }, [
      element("p", { class: "pb-strong", tabindex: "-1" }, text[hold.state](number(hold.points))),
      ready && ticket(hold.discount_code, worth, say),
      element("p", {}, [text.timeLeft, clock]),
      ready && element("p", { class: "pb-note" }, text.how),
      act(),
    ]);
    const sayLeft = (seconds) => say(text.left(duration(seconds)));
    return { part, startClock: (deadline, over) => countDown(clock, deadline, sayLeft, over) };
  }

  function ticket(code, worth, say) {
    const field = element("code", { class: "pb-code" }, code);
    const result = element("p", { class: "pb-note", "aria-hidden": "true" });
    const copied = (words) => {
      result.textContent = words;
      say(words);
    };
    return element("div", { class: "pb-ticket" }, [
      element("p", { class: "pb-note" }, text.code),
      field,
      worth && element("p", { class: "pb-strong" }, text.worth(money(worth))),
      actionButton(text.copy, async () => {
        copied((await isCopied(code)) ? text.copied : text.copyByHand);
        if (result.textContent === text.copyByHand) getSelection().selectAllChildren(field);
      }),
      result,
    ]);
  }

  function money({ discount_amount: amount, currency }) {
    return new Intl.NumberFormat(locale, { style: "currency", currency }).format(amount);
  }

  function duration(seconds) {
    const unit = seconds >= 60 ? "minute" : "second";
    const count = seconds >= 60 ? Math.round(seconds / 60) : seconds;
    return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count);
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
