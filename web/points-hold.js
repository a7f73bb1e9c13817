// The part of the point section in which a customer uses points: an amount becomes a discount code, and
// points that are not needed after all go back.

import { holdViews } from "./points-hold-views.js";
import { element } from "./points-elements.js";
import { forgetRequest, interruptedRequest, isBySetting, isUnsure, requestFor } from "./points-hold-request.js";
import { wholeNumber } from "./points-numbers.js";
import { mostAtOnce } from "./points-present.js";

/**
 * Make the part. It lives as long as the section and remembers, for each customer, what is under way.
 *
 * @param {ReturnType<import("./points-api.js").pointsApi>} api
 * @param {{refresh: () => Promise<boolean>, reload: () => Promise<void>}} page both read the customer's points again
 *   and pass them to `show`; if that fails, `refresh` changes nothing and returns false
 * @param {{storefront?: string, contactUrl?: string}} [links] as for `mountPoints`
 * @returns {{element: HTMLElement, show: (points: object, locale: string) => void, leave: () => void}}
 */
export function holdSection(api, { refresh, reload }, links = {}) {
  const status = element("p", { class: "pb-hidden", role: "status" });
  const place = element("div", { class: "pb-use" });
  const root = element("section", { class: "pb-hold" }, [status, place]);
  const states = new Map();
  let state = null;
  let views = null;
  let drawn = "";
  let stopClock = () => {};

  /** Show a customer's points as the API returned them. */
  function show(points, locale) {
    const { customer_id: customer } = points;
    const existing = states.get(customer);
    state = existing ?? { customer, points, amount: null, busy: null, message: null, deadline: 0 };
    states.set(customer, state);
    views = holdViews(locale, links);
    update(state, points);
    draw();
    if (!existing) resume(state);
  }

  /** Stop showing any customer's points. */
  function leave() {
    stopClock();
    state = null;
    drawn = "";
  }

  function update(customerState, points) {
    const { hold: before, figures } = customerState.points;
    customerState.points = points;
    const { hold } = points;
    if (hold) customerState.deadline = Date.now() + hold.expires_in_seconds * 1000;
    if (hold?.state === "ready" && !customerState.busy) {
      forgetRequest(customerState.customer);
      if (isUnsure(customerState.message?.code)) customerState.message = null;
    }
    if (before && !hold && !customerState.busy) {
      const isUsed = points.figures.spent > figures.spent;
      const code = isUsed ? "used" : customerState.clockIsOver ? "time_over" : "hold_ended";
      customerState.message ??= { code };
    }
    customerState.clockIsOver = false;
  }

  /** Repeat a request that a reload interrupted. */
  function resume(customerState) {
    const request = interruptedRequest(customerState.customer);
    const { hold } = customerState.points;
    if (request && (!hold || hold.state === "preparing")) take(request.points);
  }

  function take(points) {
    const { customer } = state;
    const { key } = requestFor(customer, points);
    return work(state, "holding", async (customerState) => {
      const held = await api.hold(points, key);
      forgetRequest(customer);
      customerState.amount = null;
      customerState.deadline = Date.parse(held.expires_at); // by this device's clock, until the figures are read again
      customerState.points = { ...customerState.points, figures: held.figures, hold: { ...held, state: "ready" } };
      return null;
    });
  }

  function release() {
    return work(state, "releasing", async (customerState) => {
      const { figures } = await api.release(customerState.points.hold.hold_id);
      customerState.points = { ...customerState.points, figures, hold: null };
      return { code: "released" };
    });
  }

  /** Send one request at a time, show its result, and read the figures again. */
  async function work(customerState, what, act) {
    if (customerState.busy) return;
    Object.assign(customerState, { busy: what, message: null });
    draw();
    try {
      customerState.message = await act(customerState);
    } catch (problem) {
      if (!problem.code) throw problem; // not an answer, but a bug of this page
      if (what === "holding" && !isOpen(problem.code, customerState)) forgetRequest(customerState.customer);
      customerState.message = { code: problem.code, what, retryAfter: problem.retryAfter };
    } finally {
      customerState.busy = null;
    }
    if (customerState !== state) return;
    draw();
    await refresh();
  }

  /** Whether the request may be repeated under the same key; later, also for a hold that is not ready. */
  function isOpen(code, customerState) {
    return isUnsure(code) || (code === "rate_limited" && Boolean(customerState.points.hold));
  }

  function submit(text) {
    const points = wholeNumber(text);
    state.amount = text;
    if (points >= 1 && points <= mostAtOnce(state.points)) {
      take(points);
      return;
    }
    state.message = { code: "amount_wrong" };
    draw();
    place.querySelector("input").focus();
  }

  function draw() {
    const { busy, message, points, amount } = state;
    const { hold } = points;
    const most = mostAtOnce(points);
    const offered = points.holds_offered && most >= 1;
    const isOff = isBySetting(message?.code) && !hold;
    root.hidden = !(hold || busy || message || offered);
    root.toggleAttribute("data-off", isOff); // then the headline promises nothing
    const look = JSON.stringify([views.locale, state.customer, busy, message, hold?.hold_id, hold?.state, most, points.worth?.point_amount]);
    if (look === drawn) return;
    drawn = look;
    stopClock();
    const hadFocus = place.contains(document.activeElement);
    const parts = [views.heading(), message && views.message(message)];
    const isBeingMade = hold && busy === "holding";
    if (hold && !isBeingMade) parts.push(heldParts(hold));
    else if (offered && !isBeingMade) parts.push(views.form(points, amount, most, message, { submit, typed }));
    if (busy) parts.push(views.progress(busy));
    place.replaceChildren(...parts.filter(Boolean));
    for (const control of place.querySelectorAll("button, input")) control.disabled = Boolean(busy) || isOff;
    announceResult(hadFocus);
  }

  function heldParts(hold) {
    const retry = () => (interruptedRequest(state.customer) ? take(hold.points) : refresh());
    const { part, startClock } = views.held(hold, state.deadline, { release, retry, announce: say });
    const mine = state;
    stopClock = startClock(() => mine.deadline, async () => {
      mine.clockIsOver = true;
      if (!(await refresh())) reload(); // the code is no longer valid, so it must not stay visible
    });
    return part;
  }

  function typed(text) {
    state.amount = text;
  }

  /** Move the focus to the result, or announce it to screen readers. */
  function announceResult(hadFocus) {
    const result = place.querySelector(".pb-progress") ?? place.querySelector("[tabindex='-1']");
    if (!result) return;
    if (hadFocus) result.focus();
    else say(result.textContent);
  }

  function say(text) {
    status.textContent = text;
  }

  return { element: root, show, leave };
}
