// What is said about a customer's points, in one language: texts and facts, whatever shows them. No DOM: Shopify's
// extensions use it as well.

import { days, daysOfInstants, durations, isOver, moneyInText, numbers, timesOfDay, withMinus } from "./points-numbers.js";
import { texts } from "./points-texts.js";

const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** The most points that one request holds. */
export const POINTS_MAX = 1_000_000_000;

/** How many points can be used now, and how many of them at once. */
export const usablePoints = ({ figures }) => Math.max(0, figures.approved);
export const mostAtOnce = (points) => Math.min(usablePoints(points), POINTS_MAX);

/** Whether somebody has had no points yet. */
export function isNew({ figures }) {
  return figures.lifetime === 0 && figures.total === 0;
}

/** Whether the till's balance is the one that counts. */
export function tillIsMaster(points) {
  return points.points_master === "till" && points.till.status !== "disabled";
}

/** Whether the till may have something newer to say than the answer has. */
export function tillIsBehind(points) {
  return points.till.status === "pending" || points.till.stale;
}

/** The presenter of one language; `points` is the API's answer of that name, `entry` one of the history's. */
export function presenter(locale) {
  const text = texts[locale] ?? texts.en;
  const number = numbers(locale);
  const signed = numbers(locale, { signDisplay: "exceptZero" });
  const amountInText = moneyInText(locale);
  const day = days(locale);
  const shortDay = (at, timeZone = "UTC") => daysOfInstants(locale, timeZone)(at);
  const duration = durations(locale);
  const until = timesOfDay(locale);
  const count = (points) => text.points(number(points), points);

  /** What a number of points is worth, or null where nobody says. */
  function worthOf(points, howMany) {
    const { worth } = points;
    return worth && howMany > 0 ? amountInText(worth.point_amount * howMany, worth.currency) : null;
  }

  /** The one number: `number` (null where there is none), its `unit`, what it is `worth`, and `where` it is used, if not here. */
  function headline(points) {
    if (tillIsMaster(points)) {
      const { balance } = points.till;
      const isKnown = balance !== null;
      return { number: isKnown ? number(balance) : null, unit: text.unit(balance), worth: null, where: isKnown && text.useAtStore };
    }
    const usable = usablePoints(points);
    const worth = points.holds_offered ? worthOf(points, usable) : null;
    const when = points.hold ? text.worthLater : text.worth; // one code at a time
    return { number: number(usable), unit: text.unit(usable), worth: worth && when(worth) };
  }

  /** What the till says: a line of a `label` and `parts`, and `message`, `action` and `note`; null where it has nothing to add. */
  function store(points) {
    const { till, display } = points;
    if (till.status === "disabled") return null;
    const { message, action, note } = display;
    const rank = display.rank && rankWithBenefit(points);
    const store = tillIsMaster(points) ? null : text.store;
    if (till.status === "pending") return { label: store, parts: [text.storePending], isPending: true };
    const isSaid = tillIsMaster(points) || saysTheSame(points);
    const parts = [!isSaid && balanceAtStore(points), !isSaid && validity(points, text.validThrough, text.expiredOn), rank].filter(Boolean);
    if (!parts.length && !message && !action) return null;
    const isRankOnly = rank && parts.length === 1;
    return { label: isRankOnly ? text.storeRank : store, parts, message, action, note };
  }

  function balanceAtStore({ till, display }) {
    if (till.balance === null) return display.balance;
    return text.points(withMinus(display.balance), till.balance);
  }

  /** Until when the till's points are valid; null where there are none, or nobody says. A day that is over is told as over. */
  function validity({ till, display, time_zone: timeZone }, valid, over) {
    if (!display.expiry || till.balance <= 0) return null;
    const tell = till.expires_on && isOver(till.expires_on, timeZone) ? over : valid;
    return tell(display.expiry);
  }

  function rankWithBenefit({ display, rank_percent: percent }) {
    return percent > 100 ? text.rankWithBenefit(display.rank, number(percent / 100)) : display.rank;
  }

  /** What expires next: a sentence, and whether that is soon; null where nothing does. */
  function expiring(shown, now = Date.now()) {
    const { expiring: lots } = shown;
    if (tillIsMaster(shown)) {
      const sentence = validity(shown, text.validThroughAlone, text.expiredOnAlone);
      return sentence && { sentence, isSoon: false };
    }
    if (!lots.length) return null;
    const [{ points, expires_on: last }] = lots;
    const isSoon = new Date(last).getTime() - now < SOON_DAYS * DAY_MS;
    return { sentence: useBy(points, usablePoints(shown), day(last)), isSoon };
  }

  function useBy(points, usable, last) {
    if (points === usable) return text.expiringAll(count(points), last);
    return points < usable ? text.expiringOfThese(number(points), last) : text.expiring(count(points), last);
  }

  /** What is on its way, and when it comes if one of these entries says so; null where nothing is. */
  function pending(points, entries = []) {
    const { figures } = points;
    if (figures.pending <= 0 || tillIsMaster(points)) return null;
    const known = entries.map(({ row }) => row?.comes_on).filter(Boolean).sort();
    const coming = count(figures.pending);
    if (figures.approved < 0) {
      const left = afterDebt(figures.approved + figures.pending);
      return known.length ? text.pendingInDebtOn(coming, day(known[0]), left) : text.pendingInDebt(coming, left);
    }
    return known.length ? text.pendingFrom(coming, day(known[0])) : text.pending(coming);
  }

  function afterDebt(left) {
    if (left === 0) return text.debtPaid;
    return left > 0 ? text.leftAfterDebt(count(left)) : text.debtLeft(count(-left));
  }

  /** What is reserved at the moment, or coming back: it is not lost; null where nothing is. */
  function held({ figures, hold }) {
    const say = hold?.state === "releasing" ? text.comingBack : text.held;
    return figures.hold > 0 ? say(count(figures.hold)) : null;
  }

  /** What is said to somebody who owes points; null for anybody else. */
  function debt({ figures }) {
    return figures.approved < 0 ? text.debt(count(-figures.approved)) : null;
  }

  /** What is said to somebody who has used all points; null for anybody else. */
  function nothingLeft(points) {
    const isUsedUp = points.figures.approved === 0 && !points.hold && !isNew(points) && !tillIsMaster(points);
    return isUsedUp ? text.nothingLeft : null;
  }

  /** What the shop has paused for now: `kind` and `sentence` of each. */
  function paused({ paused: kinds = [] }) {
    return kinds.filter((kind) => text.paused[kind]).map((kind) => ({ kind, sentence: text.paused[kind] }));
  }

  /** How points are earned: one sentence; null where orders earn none. */
  function howToEarn({ earning }) {
    return earning && text.earning(count(earning.points), amountInText(earning.for_amount, earning.currency));
  }

  /** How points are earned, and what they are worth: sentences. */
  function firstRules(points) {
    const { earning, worth } = points;
    return [
      howToEarn(points),
      earning?.pending_days > 0 && text.pendingDays(number(earning.pending_days), earning.pending_days),
      worth && points.holds_offered && text.pointWorth(amountInText(worth.point_amount, worth.currency)),
    ].filter(Boolean);
  }

  /** How points are earned and used: sentences. */
  function rules(points) {
    const time = points.holds_offered && codeTime(points);
    const ends = [time && text.codeLasts(time), points.holds_offered && text.restComesBack];
    return [...firstRules(points), howLongPointsLast(points), ...ends].filter(Boolean);
  }

  /** How long the ledger's points last: a sentence; null where the API does not say, or the till's points count. */
  function howLongPointsLast(points) {
    const { expiry, time_zone: timeZone } = points;
    if (!expiry || tillIsMaster(points)) return null;
    const { lasts } = text;
    if (expiry.kind === "never") return lasts.never;
    if (expiry.kind === "day") return isOver(expiry.day, timeZone) ? null : lasts.day(day(expiry.day));
    const time = lasts[expiry.kind](number(expiry.number), expiry.number);
    return lasts.sentence(time, expiry.renewed ? lasts.sinceActivity : "", lasts.endOf[expiry.to_end_of] ?? "");
  }

  /** How long a code works, never more than that; null where the API does not say. */
  function codeTime({ hold_seconds: seconds }) {
    if (!seconds) return null;
    return duration(seconds - (seconds % (seconds >= 7200 ? 3600 : seconds >= 60 ? 60 : 1)));
  }

  /** What is to be known before points become a code. */
  function codeLimit(points) {
    const time = codeTime(points);
    return time ? text.hold.limit(time) : text.hold.limitUnknown;
  }

  /** The time that a code has left, and when it ends by this device's clock: 9 min 08 s left, until 2:32 PM. */
  function timeLeft(seconds, endsAt) {
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    const rest = seconds % 60;
    return text.hold.clock(hours, minutes, seconds >= 60 ? String(rest).padStart(2, "0") : rest, until(endsAt));
  }

  /** An open hold that has no code, or none any more, and ends at `endsAt` (of this device's clock): what becomes of it. */
  function unready({ state, points }, endsAt) {
    const { hold } = text;
    const time = until(endsAt);
    if (state === "preparing") return { title: hold.preparing, note: hold.preparingNote(count(points), time), act: hold.preparingAct };
    return { title: hold.releasing(count(points), time, points), note: hold.releasingNote, act: hold.releasingAct };
  }

  /** All figures, with their labels; what expired or was taken back is there only if something did. */
  function figures({ figures: values }) {
    const gone = values.lifetime - values.spent - values.hold - values.approved;
    const rows = { ...values, gone: gone > 0 ? gone : null };
    return Object.entries(text.figures).flatMap(([name, label]) => (rows[name] === null ? [] : [[label, number(rows[name])]]));
  }

  /** One row of the history; null for an entry that belongs to another row. */
  function row(entry, timeZone) {
    const { row: shown, reason } = entry;
    if (!shown) return null;
    const kind = text.kinds[shown.kind] ?? text.otherEntry;
    const title = reason && shown.order_id ? text.order(reason) : reason;
    const comes = shown.comes_on ? text.comesOn(shortDay(shown.comes_on)) : text.comesLater;
    const when = shown.kind === "pending" ? comes : shortDay(entry.at, timeZone);
    return {
      title: title || kind,
      details: [title && kind, when].filter(Boolean),
      points: shown.change ? text.points(signed(shown.change), Math.abs(shown.change)) : count(shown.points),
      change: Math.sign(shown.change),
      kind: shown.kind,
    };
  }

  return {
    ...{ text, number, count, amountInText, day, duration, worthOf, headline, store, expiring, pending, held, debt },
    ...{ nothingLeft, paused, howToEarn, firstRules, rules, codeLimit, timeLeft, unready, figures, row },
  };
}

/** Whether the till's balance and day are the ledger's, too; where there are no points, no day counts. */
function saysTheSame({ till, figures, expiring }) {
  if (till.status !== "ok" || till.balance !== figures.approved) return false;
  return till.balance <= 0 || !till.expires_on || till.expires_on === expiring[0]?.expires_on;
}
