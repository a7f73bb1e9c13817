// What the staff's screens say of an account, its entries and an order, in one language. No DOM.

import { days, moneyInText, numbers } from "../../../web/points-numbers.js";
import { texts } from "./texts.js";

const NAMED = /^(staff|operator):(.*?)(?: for staff:(\d+))?$/s;
const DAY_MS = 86_400_000;
const LOTS_MAX = 4;
const MINOR_DIGITS = (currency) => new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;

/**
 * The words of one language, and what the answers of the staff's API come to in it.
 *
 * @param {string} locale
 * @param {string} [timeZone] the shop's, for moments; without it they are those of the device
 */
export function staffWords(locale, timeZone) {
  const text = texts[locale] ?? texts.en;
  const number = numbers(locale);
  const signed = numbers(locale, { signDisplay: "exceptZero" });
  const day = days(locale);
  const time = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone });
  const amount = moneyInText(locale);
  const count = (points) => text.points(number(points), points);
  const moment = (at) => time.format(new Date(at));
  const money = (minor, currency) => amount(minor / 10 ** MINOR_DIGITS(currency), currency);

  /** Days such as 2026-12-04, in their order, those in a row as one. */
  function daysInText(given) {
    const rows = /** @type {string[][]} */ ([]);
    for (const one of given) {
      const last = rows.at(-1);
      if (last && Date.parse(one) - Date.parse(last[last.length - 1]) === DAY_MS) last.push(one);
      else rows.push([one]);
    }
    const inText = rows.map((row) => (row.length > 1 ? text.fromTo(day(row[0]), day(row[row.length - 1])) : day(row[0])));
    return new Intl.ListFormat(locale, { type: "unit", style: "long" }).format(inText);
  }

  /** The facts of an account: `id`, `label`, and `values`, one a line. What there is nothing to say of is left out. */
  function facts(account) {
    const { figures, lots, hold, pending_orders: orders, till } = account;
    const ending = lots.filter((lot) => lot.expires_on !== null);
    return [
      till && { id: "at-store", label: text.atStore, values: [atStore(till)] },
      rank(till) && { id: "rank", label: text.rank, values: [rank(till)] },
      expiry(ending),
      orders.length > 0 && { id: "pending", label: text.pending, values: orders.map(pendingOrder), isList: true },
      hold && { id: "hold", label: text.hold, values: [held(hold)] },
      { id: "earned", label: text.earnedSoFar, values: [count(figures.lifetime)] },
      { id: "used", label: text.usedSoFar, values: [count(figures.spent)] },
    ].filter(Boolean);
  }

  /** The rank as customers read it; null where there is none, or only a number of the till's. */
  function rank(till) {
    return till?.rank_labels?.[texts[locale] ? locale : "en"] ?? null;
  }

  /** The next last days of the points, not all of which a screen has room for. */
  function expiry(ending) {
    const shown = ending.slice(0, LOTS_MAX).map((lot) => text.expires(count(lot.points), day(lot.expires_on)));
    const later = ending.slice(LOTS_MAX).reduce((sum, lot) => sum + lot.points, 0);
    const values = later ? [...shown, text.expireLater(count(later))] : shown;
    return { id: "expires", label: text.expiresNext, values: values.length ? values : [text.noExpiry], isList: values.length > 1 };
  }

  function atStore({ status, balance, as_of: at }) {
    if (status === "not_registered") return text.notRegistered;
    if (balance === null || balance === undefined) return text.unknownAtStore;
    return at ? text.asOfStore(count(balance), moment(at)) : count(balance);
  }

  function pendingOrder({ points, order_id: id, order_name: name, comes_on: on }) {
    return on ? text.pendingUntil(count(points), name ?? id, day(on)) : text.pendingOrder(count(points), name ?? id);
  }

  function held({ state, points, discount_code: code, expires_at: until }) {
    return text.holdState[state ?? "past"](count(points), code, until && moment(until));
  }

  /** An entry: its `title`, the signed `points`, `details` (reason, order, who) and when. `points` is "" where none moved. */
  function entry(one) {
    const { approved, hold, pending } = one.moves;
    const change = approved ?? pending ?? 0;
    const isOfOrder = isLateUse(one) || /^points\/(add\/order|add\/refund|sub\/order|sub\/refund|pending\/|hold\/spent|expired\/spent)/.test(one.topic);
    const orderId = isOfOrder ? one.about : null;
    return {
      title: isLateUse(one) ? text.lateUse : (text.topics[one.topic] ?? text.otherTopic),
      // Held points that are used were taken before: a sign would take them twice.
      points: change ? signed(change) : hold ? number(Math.abs(hold)) : "",
      isChange: Boolean(approved),
      after: approved ? text.after(count(one.figures.approved)) : "",
      at: moment(one.at),
      orderId,
      details: [
        one.reason !== one.order_name && one.reason,
        orderId && text.order(one.order_name ?? orderId),
        ...extended(one),
        who(one),
        one.recorded_at === null && text.due,
      ].filter(Boolean),
    };
  }

  function extended({ topic, lots }) {
    if (topic !== "points/expiry/extend") return [];
    return lots.filter((lot) => lot.points > 0 && lot.expires_on).map((lot) => text.expires(count(lot.points), day(lot.expires_on)));
  }

  function who({ actor, source }) {
    const [, kind, name, second] = NAMED.exec(actor) ?? [];
    if (!kind) return text.sources[source] ?? (source === "manual" && actor ? text.actors.operator(actor) : null);
    const first = text.actors[kind](name);
    return second ? text.actors.for(first, second) : first;
  }

  /** How an order's points come about: `sentences`, then `facts` of `id`, `label`, `value` and `note`. */
  function order(explained) {
    const { rule, rank, currency, granted, spent } = explained;
    const words = text.explain;
    const sentences = [
      explained.customer_id === null && words.noCustomer,
      explained.customer_id !== null && explained.base === null && words.noGoods,
      explained.base !== null && !rule && words.noRule,
      explained.canceled && words.canceled,
      rule && granted === 0 && spent === 0 && words.nothing,
    ];
    const facts = [
      rule && { id: "base", label: words.base, value: money(explained.base, currency), note: baseNote(rule) },
      rule && { id: "rule", label: words.rule, value: words.ruleText(count(rule.points_per_unit), money(rule.unit, currency)), note: ruleNote(rule, currency) },
      rank && rank.multiplier_percent !== 100 && { id: "rank", label: words.rank, value: times(rank.multiplier_percent) },
      granted > 0 && { id: "earned", label: words.earned, value: count(granted) },
      explained.pending > 0 && { id: "pending", label: words.pending, value: count(explained.pending), note: pendingNote(rule) },
      explained.refunded > 0 && { id: "refunded", label: words.refunded, value: money(explained.refunded, currency) },
      explained.taken_back > 0 && { id: "taken-back", label: words.takenBack, value: count(explained.taken_back) },
      granted > 0 && explained.taken_back > 0 && { id: "remaining", label: words.remaining, value: count(explained.remaining) },
      spent > 0 && { id: "used", label: words.used, value: count(spent) },
      explained.returned > 0 && { id: "returned", label: words.returned, value: count(explained.returned) },
    ];
    return { sentences: sentences.filter(Boolean), facts: facts.filter(Boolean) };
  }

  function baseNote(rule) {
    const { tax, noTax, cards, noCards } = text.explain.baseWith;
    return [rule.tax_included ? tax : noTax, rule.gift_cards_earn ? cards : noCards].join(" · ");
  }

  function ruleNote(rule, currency) {
    const { rounding, minimum } = text.explain;
    return [rounding[rule.rounding], rule.minimum > 0 && minimum(money(rule.minimum, currency))].filter(Boolean).join(" · ");
  }

  function times(percent) {
    return percent === 0 ? text.explain.timesZero : text.explain.times(number(percent / 100));
  }

  function pendingNote(rule) {
    return rule?.pending_days ? text.explain.pendingDays(number(rule.pending_days), rule.pending_days) : undefined;
  }

  /** What went wrong, and what to do. */
  function problem({ code }) {
    return text.problems[code] ?? text.problems[code?.replace(/_by_setting$/, "")] ?? text.otherProblem(code ?? "unknown");
  }

  return { locale: texts[locale] ? locale : "en", timeZone, text, number, signed, count, day, daysInText, moment, money, amount, rank, facts, entry, order, problem };
}

/** Whether an order took points with a code whose hold was over, or that another order had used: by order, not by hold. */
const isLateUse = ({ topic, moves }) => topic === "points/sub/hold" && Boolean(moves.spent);

/** Whether an account has never had a point. */
export const isEmpty = ({ version, figures }) => version === 0 && figures.total === 0;

/** @typedef {ReturnType<typeof staffWords>} StaffWords */
