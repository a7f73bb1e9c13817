// The part of the point section in which a customer uses points: an amount becomes a discount code, and
// points that are not needed after all go back.

import { holdViews } from "./points-hold-views.js";
import { element } from "./points-elements.js";
import { rememberWorth, interruptedRequest, requestFor, forgetRequest, worthOf } from "./points-hold-request.js";

const POINTS_MAX = 1_000_000_000;

// After these the outcome is unknown: the request is repeated with the same key.
const UNSURE = new Set(["no_answer", "ledger_unavailable", "internal_error"]);

/**
 * Make the part. It lives as long as the section and remembers, for each customer, what is under way.
 *
 * @param {ReturnType<import("./points-api.js").pointsApi>} api
 * @param {{refresh: () => Promise<boolean>, reload: () => Promise<void>}} page both read the customer's points anew
 *   and hand them to `show`; `refresh` leaves everything as it is where that fails, and says so
 * @returns {{element: HTMLElement, show: (points: object, locale: string) => void, leave: () => void}}
 */
export function holdSection(api, { refresh, reload }) {
  const news = element("p", { class: "pb-hidden", role: "status" });
  const place = element("div", { class: "pb-use" });
  const root = element("section", {}, [news, place]);
  const states = new Map();
  let state = null;
  let views = null;
  let drawn = "";
  let stopClock = () => {};

  /** Show what the API has said of a customer's points. */
  function show(points, locale) {
    const { customer_id: customer } = points;
    const known = states.get(customer);
    state = known ?? { customer, points, amount: "", busy: null, message: null, deadline: 0 };
    states.set(customer, state);
    views = holdViews(locale);
    learn(state, points);
    draw();
    if (!known) resume(state);
  }

  /** Nobody's points are shown any more. */
  function leave() {
    stopClock();
    state = null;
    drawn = "";
  }

  function learn(asked, points) {
    const hadHold = asked.points.hold;
    asked.points = points;
    const { hold } = points;
    if (hold) asked.deadline = Date.now() + hold.expires_in_seconds * 1000;
    if (hold?.state === "ready" && !asked.busy) {
      forgetRequest(asked.customer);
      if (UNSURE.has(asked.message?.code)) asked.message = null;
    }
    if (hadHold && !hold && asked.clockIsOver) asked.message = { code: "time_over" };
    asked.clockIsOver = false;
  }

  /** A reload cut a request off: ask for the same again. */
  function resume(asked) {
    const request = interruptedRequest(asked.customer);
    const { hold } = asked.points;
    if (request && (!hold || hold.state === "preparing")) take(request.points);
  }

  function take(points) {
    const { customer } = state;
    const { key } = requestFor(customer, points);
    return work(state, "holding", async (asked) => {
      const held = await api.hold(points, key);
      forgetRequest(customer);
      rememberWorth(customer, held);
      asked.amount = "";
      asked.deadline = Date.parse(held.expires_at); // by this device's clock, until the figures are read anew
      asked.points = { ...asked.points, figures: held.figures, hold: { ...held, state: "ready" } };
      return null;
    });
  }

  function release() {
    return work(state, "releasing", async (asked) => {
      const { figures } = await api.release(asked.points.hold.hold_id);
      asked.points = { ...asked.points, figures, hold: null };
      return { code: "released" };
    });
  }

  /** One request at a time; whatever comes of it is said, and the figures are read anew. */
  async function work(asked, what, act) {
    if (asked.busy) return;
    Object.assign(asked, { busy: what, message: null });
    draw();
    try {
      asked.message = await act(asked);
    } catch (problem) {
      if (!problem.code) throw problem; // not an answer, but a fault of this page
      if (what === "holding" && !isOpen(problem.code, asked)) forgetRequest(asked.customer);
      asked.message = { code: problem.code, what, retryAfter: problem.retryAfter };
    } finally {
      asked.busy = null;
    }
    if (asked !== state) return;
    draw();
    await refresh();
  }

  /** Whether the same is to be asked again under the same key: also a hold that is half made, later. */
  function isOpen(code, asked) {
    return UNSURE.has(code) || (code === "rate_limited" && Boolean(asked.points.hold));
  }

  function submit(text) {
    const points = wholeNumber(text);
    state.amount = text;
    if (points >= 1 && points <= most()) {
      take(points);
      return;
    }
    state.message = { code: "amount_wrong" };
    draw();
    place.querySelector("input").focus();
  }

  /** How many points can be used now. */
  function most() {
    return Math.min(state.points.figures.approved, POINTS_MAX);
  }

  function draw() {
    const { busy, message, points, amount } = state;
    const { hold } = points;
    const offered = points.holds_offered && most() >= 1;
    root.hidden = !(hold || busy || message || offered);
    const look = JSON.stringify([views.locale, state.customer, busy, message, hold?.hold_id, hold?.state, most()]);
    if (look === drawn) return;
    drawn = look;
    stopClock();
    const hadFocus = place.contains(document.activeElement);
    const parts = [views.heading(), message && views.message(message)];
    const isBeingMade = hold && busy === "holding";
    if (hold && !isBeingMade) parts.push(heldParts(hold));
    else if (offered && !isBeingMade) parts.push(views.form(amount, most(), message, { submit, typed }));
    if (busy) parts.push(views.progress(busy));
    place.replaceChildren(...parts.filter(Boolean));
    for (const control of place.querySelectorAll("button, input")) control.disabled = Boolean(busy);
    tell(hadFocus);
  }

  function heldParts(hold) {
    const worth = worthOf(state.customer, hold.hold_id);
    const retry = () => (interruptedRequest(state.customer) ? take(hold.points) : refresh());
    const { part, startClock } = views.held(hold, worth, { release, retry, say });
    const mine = state;
    stopClock = startClock(() => mine.deadline, async () => {
      mine.clockIsOver = true;
      if (!(await refresh())) reload(); // the code counts no more: it must not stay to be seen
    });
    return part;
  }

  function typed(text) {
    state.amount = text;
  }

  /** Who works here with a keyboard or a screen reader is led to the result. */
  function tell(hadFocus) {
    const result = place.querySelector(".pb-progress") ?? place.querySelector("[tabindex='-1']");
    if (!result) return;
    if (hadFocus) result.focus();
    else say(result.textContent);
  }

  function say(text) {
    news.textContent = text;
  }

  return { element: root, show, leave };
}

/** The number that somebody typed, in whatever width and with commas; NaN if it is none. */
function wholeNumber(text) {
  const plain = text.normalize("NFKC").replace(/[\s,]/g, "");
  return /^\d{1,10}$/.test(plain) ? Number(plain) : NaN;
}
