// The words of the staff's screens: both languages have all of them.

import { expect, test } from "vitest";
import { decisionOf } from "../shared/staff/adjustment.js";
import { homeTexts } from "../shared/staff/home-texts.js";
import { posTexts } from "../shared/staff/pos-texts.js";
import { staffWords } from "../shared/staff/say.js";
import { texts } from "../shared/staff/texts.js";

/** What the staff's calls refuse with and what can happen on the way: docs/api.md. */
const CODES = [
  "no_answer", "internal_error", "ledger_unavailable", "rate_limited", "invalid_request", "unknown_shop",
  "token_missing", "token_invalid", "token_expired", "not_permitted", "order_not_found",
  "action_limit_exceeded", "daily_limit_reached", "insufficient_points", "day_past", "customer_erased", "idempotency_mismatch",
  "hold_open", "hold_not_found", "hold_captured", "hold_ended", "hold_failed", "hold_failed_by_setting", "hold_releasing",
  "holds_not_offered", "holds_paused",
];

/** The names of all texts, and whether each is one or makes one of values. */
function shape(part) {
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, typeof value === "object" ? shape(value) : typeof value]),
  );
}

for (const [name, both] of Object.entries({ texts, homeTexts, posTexts })) {
  test(`what English says, Japanese says too, and nothing else (${name})`, () => {
    expect(shape(both.ja)).toEqual(shape(both.en));
  });
}

for (const locale of ["en", "ja"]) {
  test(`no refusal is shown as its code (${locale})`, () => {
    for (const code of CODES) expect(staffWords(locale).problem({ code })).not.toContain(code);
  });
}

test("a last day that is in no calendar is wrong, and digits of any width are right", () => {
  const typed = { isRemoval: false, points: "1", reason: "Sorry", expiresOn: "" };
  const wrong = (expiresOn) => decisionOf({ ...typed, expiresOn }, 1000).wrong;
  expect(wrong("2027-02-31")).toEqual(["expiresOn"]);
  expect(wrong("2027-02-28")).toEqual([]);
  expect(decisionOf({ ...typed, expiresOn: "２０２７-02-28" }, 1000)).toMatchObject({ wrong: [], expiresOn: "2027-02-28" });
});
