// The block on an order's page in the admin.

import { waitFor } from "@testing-library/preact";
import { expect, test } from "vitest";
import { byId, press, shown } from "./given.js";
import { EXPLAINED, inAdmin, inJapanese, ORDER, page } from "./staff-given.js";

const { show } = inAdmin("admin.order-details.block.render", "points-staff", `gid://shopify/Order/${ORDER}`);
const ROUTE = `GET /orders/${ORDER}`;

test("an order says what it earned and why, and what a refund took", async () => {
  await show({ [ROUTE]: EXPLAINED });
  await shown("order");
  const facts = Object.fromEntries([...document.querySelectorAll("[id^=order-]")].map((one) => [one.id, [...one.children].map((text) => text.textContent)]));
  expect(facts).toEqual({
    "order-base": ["Counts for points", "¥10,000", "with tax · without gift cards"],
    "order-rule": ["Rule", "1 point for every ¥100", "rounded down"],
    "order-rank": ["Rank", "1.5 times"],
    "order-earned": ["Earned", "150 points"],
    "order-refunded": ["Refunded goods", "¥3,000"],
    "order-taken-back": ["Taken back after refunds", "45 points"],
    "order-remaining": ["Left of this order", "105 points"],
  });
});

test("points used on an order, and those that came back, are seen", async () => {
  await show({ [ROUTE]: { ...EXPLAINED, granted: 0, taken_back: 0, refunded: 0, spent: 500, returned: 250 } });
  await shown("order-used");
  expect(byId("order-used").textContent).toContain("500 points");
  expect(byId("order-returned").textContent).toContain("250 points");
});

test("pending points say how long after the payment", async () => {
  await show({ [ROUTE]: { ...EXPLAINED, pending: 150, taken_back: 0, rule: { ...EXPLAINED.rule, pending_days: 14 } } });
  await shown("order-pending");
  expect(byId("order-pending").textContent).toContain("usable 14 days after payment");
});

for (const [what, changes, sentence] of [
  ["without a customer", { customer_id: null }, "has no customer"],
  ["of which only refunds are known", { base: null, rule: null, rank: null }, "Only refunds"],
  ["that was canceled", { canceled: true }, "was canceled"],
  ["that earned nothing", { granted: 0, taken_back: 0 }, "neither earned nor used"],
]) {
  test(`an order ${what} says so`, async () => {
    await show({ [ROUTE]: { ...EXPLAINED, ...changes } });
    await waitFor(() => expect(page()).toContain(sentence));
  });
}

test("an order that is not here yet is no error, and is asked for again", async () => {
  const api = await show({ [ROUTE]: { status: 404, code: "order_not_found" } });
  await shown("problem");
  expect(byId("problem").getAttribute("tone")).toBe("info");
  api.routes[ROUTE] = EXPLAINED;
  await press("again");
  await shown("order-earned");
});

test("dollars and cents are written as such", async () => {
  await show({ [ROUTE]: { ...EXPLAINED, currency: "USD", base: 12_345 } });
  await shown("order-base");
  expect(byId("order-base").textContent).toContain("$123.45");
});

test("in Japanese there is no English", async () => {
  await show({ [ROUTE]: { ...EXPLAINED, spent: 500, returned: 250, pending: 5 } }, inJapanese);
  await shown("order");
  expect(page()).toContain("100円ごとに1ポイント");
  expect(page()).not.toMatch(/[a-z]{3,}/i);
});
