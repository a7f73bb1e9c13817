// The words and numbers of my page, for the extensions: the same as on the page itself.

import { numbers, withMinus } from "../../web/points-numbers.js";
import { texts } from "../../web/points-texts.js";

/** Everything that depends on the language. */
export function words(locale) {
  const text = texts[locale] ?? texts.en;
  const number = numbers(locale);
  const signed = numbers(locale, { signDisplay: "exceptZero" });
  // Days have no time of day: read and written in one zone they stay the day they are.
  const dayFormat = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" });
  const momentFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

  function duration(seconds) {
    const unit = seconds >= 60 ? "minute" : "second";
    const count = seconds >= 60 ? Math.ceil(seconds / 60) : seconds;
    return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count);
  }

  return {
    text,
    number,
    signed,
    withMinus,
    duration,
    day: (iso) => dayFormat.format(new Date(iso)),
    moment: (iso) => momentFormat.format(new Date(iso)),
    money: ({ amount, currency }) =>
      new Intl.NumberFormat(locale, { style: "currency", currency }).format(Number(amount)),
    /**
     * How something ended: words for a code, whatever it is.
     *
     * @param {import("./model.js").Message} message
     * @param {number} most
     */
    message({ code, what, retryAfter = 60 }, most) {
      if (code === "amount_wrong") return text.hold.amountWrong(number(most));
      if (code === "rate_limited") return text.hold.tooSoon(duration(retryAfter));
      return text.hold.messages[code] ?? (what === "releasing" ? text.hold.notReleased : text.hold.notHeld);
    },
  };
}

/** @typedef {ReturnType<typeof words>} Words */

/** 9:59 as 09:59; from an hour on with the hours before. */
export function clock(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  return `${hours ? `${hours}:` : ""}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
