// The words of my page, for the extensions.

import { presenter } from "../../web/points-present.js";

/** The presenter of my page, and how something ended in words. */
export function words(locale) {
  const say = presenter(locale);
  const { hold } = say.text;

  /**
   * @param {import("./model.js").Message} message
   * @param {number} most
   */
  function message({ code, what, retryAfter = 60 }, most) {
    if (code === "amount_wrong") return hold.amountWrong(say.number(most));
    if (code === "rate_limited") return hold.tooSoon(say.duration(retryAfter));
    return hold.messages[code] ?? (what === "releasing" ? hold.notReleased : hold.notHeld);
  }

  return { ...say, message };
}

/** @typedef {ReturnType<typeof words>} Words */
