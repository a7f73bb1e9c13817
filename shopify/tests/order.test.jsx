// The block on an order's page.

import { waitFor } from "@testing-library/preact";
import { expect, test, vi } from "vitest";
import { hosted, inEditor } from "./given.js";

const { show } = hosted("customer-account.order-status.block.render", "points-blocks");

const ORDER = "820982911946154508";
const ROUTE = `GET /orders/${ORDER}/points`;
const NONE = { order_id: ORDER, approved: 0, pending: 0, comes_on: null, used: 0, returned: 0 };
const LATE = { status: 404, code: "order_not_found" };

function ofOrder(shopify) {
  shopify.order.value = { ...shopify.order.value, id: `gid://shopify/Order/${ORDER}` };
  shopify.i18n.translate = (key, values = {}) => [key, ...Object.values(values)].join(" ");
}

/** Waits of seconds last a millisecond; returns a list to which each is added. */
function secondsAreShort() {
  const waited = [];
  const real = globalThis.setTimeout;
  vi.spyOn(globalThis, "setTimeout").mockImplementation((act, ms, ...more) => {
    const isLong = [3000, 6000, 12_000].includes(ms);
    if (isLong) waited.push(ms);
    return real(act, isLong ? 1 : ms, ...more);
  });
  return waited;
}

const lines = () => [...document.body.querySelectorAll("s-text")].map((one) => one.textContent);
const seen = (expected) => waitFor(() => expect(lines()).toEqual(expected));

test("an order says what it earned, used and returned", async () => {
  await show({ [ROUTE]: { ...NONE, approved: 60, used: 500, returned: 200 } }, ofOrder);
  await seen(["order.earned 60 points", "order.used 500 points", "order.returned 200 points"]);
});

test("pending points have their day, or none while the order is not paid", async () => {
  const pending = { ...NONE, pending: 60, comes_on: "2026-12-07" };
  await show({ [ROUTE]: pending }, ofOrder);
  await seen(["order.pending_until 60 points December\u00a07,\u00a02026"]);
});

test("pending points of an order that is not paid have no day", async () => {
  await show({ [ROUTE]: { ...NONE, pending: 60 } }, ofOrder);
  await seen(["order.pending 60 points"]);
});

test("right after the checkout the order is asked for until it is there", async () => {
  let come;
  const waited = secondsAreShort();
  const arrived = new Promise((resolve) => {
    come = () => resolve({ ...NONE, approved: 60 });
  });
  let asked = 0;
  await show({ [ROUTE]: () => (asked++ ? arrived : LATE) }, ofOrder);
  await seen(["order.soon"]);
  come();
  await seen(["order.earned 60 points"]);
  expect(waited).toEqual([3000]);
});

test("an order that never comes is not asked for for ever", async () => {
  const waited = secondsAreShort();
  const api = await show({ [ROUTE]: LATE }, ofOrder);
  await waitFor(() => expect(api.to(ROUTE).length).toBe(4));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(waited).toEqual([3000, 6000, 12_000]);
  expect(api.to(ROUTE).length).toBe(4);
});

for (const [what, answer] of [
  ["an order without points", NONE],
  ["an order that cannot be read", { status: 503, code: "ledger_unavailable" }],
  ["who is not logged in", { status: 401, code: "token_missing" }],
]) {
  test(`${what} has no empty box`, async () => {
    const api = await show({ [ROUTE]: answer }, ofOrder);
    await waitFor(() => expect(api.to(ROUTE).length).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(document.body.innerHTML).toBe("");
  });
}

test("without an order nothing is asked", async () => {
  const api = await show({}, (shopify) => {
    ofOrder(shopify);
    shopify.order.value = undefined;
  });
  expect(api.calls).toEqual([]);
});

test("in the editor a merchant sees a sample", async () => {
  const api = await show({}, (shopify) => {
    ofOrder(shopify);
    inEditor(shopify);
  });
  await waitFor(() => expect(lines().length).toBe(2));
  expect(api.calls).toEqual([]);
});
