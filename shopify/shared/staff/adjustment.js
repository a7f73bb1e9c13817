// Adding and removing points by hand: what was typed, its preview, and one key for one decision. No DOM.

import { isUnsure } from "../../../web/points-hold-request.js";
import { wholeNumber } from "../../../web/points-numbers.js";

const REASON_LENGTH_MAX = 255;

/** @typedef {{isRemoval: boolean, points: string, reason: string, expiresOn: string}} Typed */

export const NOTHING_TYPED = { isRemoval: false, points: "", reason: "", expiresOn: "" };

/** Whether a day is one; February 31 is read as a day of March. @param {string} day */
function isInCalendar(day) {
  const at = Date.parse(day);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}

/**
 * What the person decided, as the API takes it; or the fields that are wrong.
 *
 * @param {Typed} typed
 * @param {number} most points at once
 * @returns {{wrong: ("points" | "reason" | "expiresOn")[], points: number, reason: string, expiresOn: string | undefined}}
 */
export function decisionOf({ isRemoval, points, reason, expiresOn }, most) {
  const number = wholeNumber(points);
  const text = reason.trim();
  const day = isRemoval ? "" : expiresOn.normalize("NFKC").trim();
  const isDay = day === "" || (/^\d{4}-\d{2}-\d{2}$/.test(day) && isInCalendar(day));
  const wrong = /** @type {("points" | "reason" | "expiresOn")[]} */ ([]);
  if (!(number >= 1 && number <= most)) wrong.push("points");
  if (!text || text.length > REASON_LENGTH_MAX) wrong.push("reason");
  if (!isDay) wrong.push("expiresOn");
  return {
    wrong,
    points: isRemoval ? -number : number,
    reason: text,
    expiresOn: day || undefined,
  };
}

/**
 * The requests of one customer's adjustments. The key of one without an outcome is stored under the customer's name, so
 * that the same decision, sent again after a lost answer or in a window that was opened anew, is booked once.
 *
 * @param {import("./api.js").StaffApi} api
 * @param {string} customer
 * @param {{get: (name: string) => Promise<any>, set: (name: string, value: any) => Promise<unknown>,
 *   delete: (name: string) => Promise<unknown>}} store
 */
export function adjustments(api, customer, store) {
  const name = `pointbook.adjustment.${customer}`;

  /** The figures that would be. Writes nothing. */
  const preview = ({ points, reason, expiresOn }) => api.adjust(customer, { points, reason, expiresOn, key: crypto.randomUUID(), preview: true });

  /** Book it. Throws a `Problem`; one that leaves the outcome open keeps the key. */
  async function book({ points, reason, expiresOn }) {
    const decided = { points, reason, expiresOn };
    const open = await store.get(name).catch(() => null);
    const isSame = open && JSON.stringify(open.decided) === JSON.stringify(decided);
    const key = isSame ? open.key : crypto.randomUUID();
    await store.set(name, { decided, key }).catch(() => {});
    try {
      const answer = await api.adjust(customer, { ...decided, key });
      await store.delete(name).catch(() => {});
      return answer;
    } catch (problem) {
      if (!isUnsure(problem.code)) await store.delete(name).catch(() => {});
      throw problem;
    }
  }

  return { preview, book };
}
