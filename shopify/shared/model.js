// What a customer's points are and what is under way with them, for every extension: no elements, no host.

import { isUnsure } from "../../web/points-hold-request.js";
import { wholeNumber } from "../../web/points-numbers.js";
import { mostAtOnce, tillIsBehind } from "../../web/points-present.js";

// Pages of the history whose entries all belong to other rows are followed by the next one, so many at most.
const PAGES_AT_ONCE_MAX = 5;

/**
 * @typedef {{code: string, what?: "holding" | "releasing", retryAfter?: number}} Message
 * @typedef {object} State
 * @property {"loading" | "login" | "failed" | "shown"} phase
 * @property {any} points the API's answer
 * @property {any[]} entries the history so far
 * @property {string | null} cursor of the next page
 * @property {"failed" | "reading" | null} historyState
 * @property {"holding" | "releasing" | null} busy
 * @property {Message | null} message how something ended
 * @property {number} endsAt when the open hold ends, in milliseconds of the device's clock
 */

/** @returns {State} */
function beginning() {
  return {
    phase: "loading",
    points: null,
    entries: [],
    cursor: null,
    historyState: null,
    busy: null,
    message: null,
    endsAt: 0,
  };
}

/**
 * @param {object} parts
 * @param {ReturnType<import("../../web/points-api.js").pointsApi>} parts.api
 * @param {Pick<ReturnType<import("../../web/points-hold-request.js").holdRequests>,
 *   "requestFor" | "interruptedRequest" | "forgetRequest">} parts.requests
 * @param {string} parts.locale
 * @param {boolean} [parts.withHistory]
 */
export function pointsModel({ api, requests, locale, withHistory = false }) {
  let state = beginning();
  let turn = 0;
  let isResumed = false;
  const listeners = new Set();

  function set(change) {
    state = { ...state, ...change };
    for (const listener of listeners) listener(state);
  }

  /** Read everything; what is shown stays until there is an answer. */
  async function load() {
    const mine = ++turn;
    if (withHistory) readHistory();
    const answer = await answered(api.points(locale, { known: true }));
    if (mine !== turn) return;
    if (answer.problem) {
      unread(answer.problem);
      return;
    }
    show(answer.value);
    if (tillIsBehind(answer.value)) fillIn(mine);
    resume();
  }

  /** Read once more, waiting for the till: the ledger's figures are there meanwhile. */
  async function fillIn(mine) {
    const { value } = await answered(api.points(locale));
    if (value && mine === turn && !state.busy) show(value);
  }

  function show(points) {
    const { hold } = points;
    const had = state.points?.hold;
    const used = points.figures.spent > (state.points?.figures.spent ?? Infinity);
    const isOver = had && !hold && !state.busy && state.endsAt <= Date.now();
    if (hold?.state === "ready" && !state.busy) requests.forgetRequest(points.customer_id);
    set({
      phase: "shown",
      points,
      endsAt: hold ? Date.now() + hold.expires_in_seconds * 1000 : state.endsAt,
      message: isOver ? { code: used ? "used" : "time_over" } : state.message,
    });
  }

  function unread(problem) {
    if (problem.status === 401) set({ ...beginning(), phase: "login" });
    // A code whose time may be over is not left there.
    else if (!state.points || (state.points.hold && state.endsAt <= Date.now())) set({ phase: "failed" });
  }

  async function readHistory() {
    await readPages([], undefined);
  }

  /** Add the next page of the history. */
  async function more() {
    if (state.cursor && state.historyState !== "reading") await readPages(state.entries, state.cursor);
  }

  async function readPages(before, cursor) {
    set({ historyState: "reading" });
    const found = [];
    for (let pages = 0; pages < PAGES_AT_ONCE_MAX; pages++) {
      const { value, problem } = await answered(api.history(cursor));
      if (problem) {
        set({ historyState: "failed" });
        return;
      }
      found.push(...value.entries);
      cursor = value.next_cursor;
      if (!cursor || found.some(({ row }) => row)) break;
    }
    set({ entries: [...before, ...found], cursor, historyState: null });
  }

  /** Repeat a request that a reload interrupted, once. */
  function resume() {
    if (isResumed) return;
    isResumed = true;
    const { customer_id: customer, hold } = state.points;
    const request = requests.interruptedRequest(customer);
    if (request && (!hold || hold.state === "preparing")) takeHold(request.points);
  }

  /** Points become a code; returns it, or null. */
  function takeHold(points) {
    const customer = state.points.customer_id;
    const { key } = requests.requestFor(customer, points);
    return work("holding", async () => {
      const made = await api.hold(points, key);
      requests.forgetRequest(customer);
      return { made, points: { figures: made.figures, hold: heldAs(made) } };
    });
  }

  /** Go on with a hold that has no code yet. */
  function retry() {
    const { hold, customer_id: customer } = state.points;
    const request = requests.interruptedRequest(customer);
    return request ? takeHold(request.points) : load().then(() => hold?.discount_code ?? null);
  }

  /** Held points go back. */
  function release() {
    const { hold_id: holdId } = state.points.hold;
    return work("releasing", async () => {
      const { figures } = await api.release(holdId);
      return { message: { code: "released" }, points: { figures, hold: null } };
    });
  }

  async function work(what, act) {
    if (state.busy) return null;
    set({ busy: what, message: null });
    const { value, problem } = await answered(act());
    if (problem && what === "holding" && !mayRepeat(problem.code)) {
      requests.forgetRequest(state.points.customer_id);
    }
    const message = problem ? { code: problem.code, what, retryAfter: problem.retryAfter } : (value.message ?? null);
    // Shown even if nothing can be read now: a code that was made must not be lost.
    if (value) show({ ...state.points, ...value.points });
    set({ busy: null, message });
    await load();
    return value?.made ?? null;
  }

  function mayRepeat(code) {
    return isUnsure(code) || (code === "rate_limited" && Boolean(state.points.hold));
  }

  /** Use so many points, given as typed: in full or half width, with commas. Returns the hold made, or null. */
  function use(typed) {
    const points = wholeNumber(String(typed));
    if (points >= 1 && points <= most()) return takeHold(points);
    set({ message: { code: "amount_wrong" } });
    return Promise.resolve(null);
  }

  /** How many points can be used now. */
  function most() {
    return state.points?.holds_offered ? mostAtOnce(state.points) : 0;
  }

  return {
    load,
    more,
    use,
    retry,
    release,
    most,
    readHistory,
    get state() {
      return state;
    },
    /** Call with every new state; returns what ends that. */
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

/** @typedef {ReturnType<typeof pointsModel>} PointsModel */

/** A problem of the API as a value; anything else is a bug of ours, and thrown. */
async function answered(promise) {
  try {
    return { value: await promise };
  } catch (problem) {
    if (!problem?.code || problem instanceof Error) throw problem;
    return { problem };
  }
}

/** A hold as the API shows it, from the answer that made it. */
function heldAs(made) {
  const seconds = Math.ceil((Date.parse(made.expires_at) - Date.now()) / 1000);
  return { ...made, state: "ready", expires_in_seconds: Math.max(0, seconds) };
}

