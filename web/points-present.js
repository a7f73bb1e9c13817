// What is said about a customer's points, in one language: texts and facts, whatever shows them. No DOM: Shopify's
// extensions use it as well.

import { days, daysOfInstants, durations, money, numbers, withMinus } from "./points-numbers.js";
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
  const amount = money(locale);
  const day = days(locale);
  const shortDay = (at, timeZone = "UTC") => daysOfInstants(locale, timeZone)(at);
  const duration = durations(locale);
  const count = (points) => text.points(number(points), points);

  /** What a number of points is worth, or null where nobody says. */
  function worthOf(points, howMany) {
    const { worth } = points;
    return worth && howMany > 0 ? amount(worth.point_amount * howMany, worth.currency) : null;
  }

  /** The one number: `number` (null where there is none), its `unit`, and what it is `worth`. */
  function headline(points) {
    if (tillIsMaster(points)) {
      const { balance } = points.till;
      return { number: balance === null ? null : number(balance), unit: text.unit(balance), worth: null };
    }
    const usable = usablePoints(points);
    const worth = points.holds_offered ? worthOf(points, usable) : null;
    const when = points.hold ? text.worthLater : text.worth; // one code at a time
    return { number: number(usable), unit: text.unit(usable), worth: worth && when(worth) };
  }

  /** What the till says: `parts` of a line, and `message`, `action` and `note`; null where it has nothing to add. */
  function store(points) {
    const { till, display } = points;
    if (till.status === "disabled") return null;
    const { message, action, note } = display;
    const rank = display.rank && rankWithBenefit(points);
    if (till.status === "pending") return { parts: [text.storePending], isPending: true };
    const parts = tillIsMaster(points) || saysTheSame(points) ? [rank] : [withMinus(display.balance ?? ""), validity(points), rank];
    const shown = parts.filter(Boolean);
    if (!shown.length && !message && !action) return null;
    return { parts: shown, message, action, note };
  }

  function validity({ display }) {
    return display.expiry && text.validThrough(display.expiry);
  }

  function rankWithBenefit({ display, rank_percent: percent }) {
    return percent > 100 ? `${display.rank} (${text.rankBenefit(number(percent / 100))})` : display.rank;
  }

  /** What expires next: a sentence, and whether that is soon; null where nothing does. */
  function expiring(shown, now = Date.now()) {
    const { expiring: lots, display } = shown;
    if (tillIsMaster(shown)) {
      return display.expiry && { sentence: text.validThroughAlone(display.expiry), isSoon: false };
    }
    if (!lots.length) return null;
    const [{ points, expires_on: last }] = lots;
    const isSoon = new Date(last).getTime() - now < SOON_DAYS * DAY_MS;
    return { sentence: text.expiring(count(points), day(last)), isSoon };
  }

  /** What is on its way, and when it comes if one of these entries says so; null where nothing is. */
  function pending(points, entries = []) {
    const { figures } = points;
    if (figures.pending <= 0 || tillIsMaster(points)) return null;
    const known = entries.map(({ row }) => row?.comes_on).filter(Boolean).sort();
    return known.length ? text.pendingFrom(count(figures.pending), day(known[0])) : text.pending(count(figures.pending));
  }

  /** What is reserved at the moment: it is not lost; null where nothing is. */
  function held({ figures }) {
    return figures.hold > 0 ? text.held(count(figures.hold)) : null;
  }

  /** What is said to somebody who owes points; null for anybody else. */
  function debt({ figures }) {
    return figures.approved < 0 ? text.debt(count(-figures.approved)) : null;
  }

  /** How points are earned: one sentence; null where orders earn none. */
  function howToEarn({ earning }) {
    return earning && text.earning(count(earning.points), amount(earning.for_amount, earning.currency));
  }

  /** How points are earned and used: sentences. */
  function rules(points) {
    const { earning, worth } = points;
    return [
      howToEarn(points),
      earning?.pending_days > 0 && text.pendingDays(number(earning.pending_days), earning.pending_days),
      worth && points.holds_offered && text.pointWorth(amount(worth.point_amount, worth.currency)),
      points.holds_offered && text.restComesBack,
    ].filter(Boolean);
  }

  /** One row of the history; null for an entry that belongs to another row. */
  function row(entry, timeZone) {
    const { row: shown, reason } = entry;
    if (!shown) return null;
    const kind = text.kinds[shown.kind] ?? text.otherEntry;
    const title = reason && shown.order_id ? text.order(reason) : reason;
    const comes = shown.kind === "pending" && (shown.comes_on ? text.comesOn(shortDay(shown.comes_on)) : text.comesLater);
    return {
      title: title || kind,
      details: [title && kind, comes || shortDay(entry.at, timeZone)].filter(Boolean),
      points: text.pointsShort(shown.change ? signed(shown.change) : number(shown.points)),
      change: Math.sign(shown.change),
      kind: shown.kind,
    };
  }

  return { text, number, count, amount, day, duration, worthOf, headline, store, expiring, pending, held, debt, howToEarn, rules, row };
}

/** Whether the till's balance and day are the ledger's, too. */
function saysTheSame({ till, figures, expiring }) {
  if (till.status !== "ok" || till.balance !== figures.approved) return false;
  return !till.expires_on || till.expires_on === expiring[0]?.expires_on;
}
