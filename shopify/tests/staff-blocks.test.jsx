// The block on a customer's page in the admin.

import { fireEvent, waitFor } from "@testing-library/preact";
import { expect, test, vi } from "vitest";
import { byId, press, shown } from "./given.js";
import { ACCOUNT, CUSTOMER, entry, EXPLAINED, inAdmin, inJapanese, LOOKER, NOBODY, ORDER, page } from "./staff-given.js";

const { show } = inAdmin("admin.customer-details.block.render", "points-staff");

const HISTORY = `GET /customers/${CUSTOMER}/history`;
const OF_ORDER = entry(11, { topic: "points/sub/refund", moves: { approved: -45 }, about: ORDER, order_name: "#1001", reason: null, source: "order", actor: "refunds/create" });
const saying = (...texts) => waitFor(() => texts.forEach((text) => expect(page()).toContain(text)));

test("a customer's points, what comes and what expires are seen at a glance", async () => {
  await show();
  await shown("available");
  expect(byId("available").textContent).toBe("1,250 points");
  expect(byId("pending").textContent).toContain("60 points of order #1001, usable from December\u00a07,\u00a02026");
  expect(byId("expires").textContent).toContain("300 points on December\u00a031,\u00a02027");
  expect(document.querySelector("s-admin-block").getAttribute("collapsedSummary").length).toBeLessThanOrEqual(30);
});

test("the latest entries say what, how many, why and who, and no topic is shown raw", async () => {
  const moved = entry(10, { actor: "operator:hanako for staff:70000000002" });
  await show({ [HISTORY]: { entries: [entry(12), OF_ORDER, moved], next_cursor: "10" } });
  await saying("Added by hand", "+200", "Sorry", "by staff 70000000001", "Taken back after a refund", "\u221245", "Order #1001", "by Shopify");
  await saying("by hanako, pressed by staff 70000000002");
  expect(page()).not.toContain("points/");
  expect(byId("more")).toBeNull();
});

test("an order's name stands once, and a webhook's number is nobody", async () => {
  const named = entry(12, { topic: "points/add/order", about: ORDER, order_name: "#1001", reason: "#1001", source: "order", actor: "" });
  const merged = entry(11, { topic: "points/add/merge", source: "merge", actor: "60a12275-b981", reason: null });
  const late = entry(10, { topic: "points/sub/hold", moves: { approved: -500, spent: 500 }, about: "7", source: "order", actor: "", reason: "#1002", order_name: "#1002" });
  await show({ [HISTORY]: { entries: [named, merged, late], next_cursor: null } });
  await saying("Order #1001", "Came with a merged account", "Taken for an order that used the code", "Order #1002");
  expect(page().split("#1001").length).toBe(3); // of the pending order, and of the entry
  expect(page()).not.toContain("60a12275");
});

test("an entry about an order is explained by the order", async () => {
  const api = await show({ [HISTORY]: { entries: [OF_ORDER], next_cursor: null }, [`GET /orders/${ORDER}`]: EXPLAINED });
  await saying("Why?");
  fireEvent.click([...document.querySelectorAll("s-button")].find((one) => one.textContent === "Why?"));
  const order = await shown("order");
  expect(byId("history").contains(order), "it stands with its entry").toBe(true);
  expect(byId("order-taken-back").textContent).toContain("45 points");
  expect(byId("order-rank").textContent).toContain("1.5 times");
  expect(api.to(`GET /orders/${ORDER}`).length).toBe(1);
  fireEvent.click([...document.querySelectorAll("s-button")].find((one) => one.textContent === "Close"));
  await waitFor(() => expect(byId("order")).toBeNull());
});

test("the last days of all points are there, the latest summed up", async () => {
  const lots = ["2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"].map((day) => ({ points: 10, expires_on: day }));
  await show({ [`GET /customers/${CUSTOMER}`]: { ...ACCOUNT, lots: [...lots, { points: 5, expires_on: null }] } });
  await shown("expires");
  expect(byId("expires").textContent).toMatch(/10 points on March\W31,\W2027.*20 points later$/);
});

test("held points that are used are not subtracted a second time", async () => {
  const used = entry(12, { topic: "points/hold/spent", moves: { hold: -500, spent: 500 }, about: ORDER, order_name: "#1001", reason: "#1001", source: "order" });
  const held = entry(11, { topic: "points/sub/hold", moves: { approved: -500, hold: 500 }, source: "my_page", actor: "", reason: null });
  await show({ [HISTORY]: { entries: [used, held], next_cursor: null } });
  await saying("Held points used on an order500", "Held for a sale\u2212500");
});

test("only what changes the points that can be used says how many there are then", async () => {
  const pending = entry(12, { topic: "points/pending/add", moves: { pending: 60 }, about: ORDER, source: "order" });
  await show({ [HISTORY]: { entries: [pending, entry(11)], next_cursor: null } });
  await saying("On the way from an order", "available: 1,250 points");
  expect(page().split("available: ").length).toBe(2);
});

test("the button to add or remove points is for those who may", async () => {
  await show({ "GET /me": LOOKER });
  await shown("available");
  expect(byId("adjust")).toBeNull();
});

test("the button opens the action on the same page", async () => {
  await show({}, (shopify) => {
    shopify.navigation.navigate = vi.fn();
  });
  await press("adjust");
  expect(shopify.navigation.navigate).toHaveBeenCalledWith("extension://points-adjust");
});

test("somebody without points is told apart from an error", async () => {
  await show({ [`GET /customers/${CUSTOMER}`]: NOBODY });
  await saying("0 points", "This customer has had no points so far.", "Nothing has happened yet.");
});

test("a merged account names where the points are", async () => {
  await show({ [`GET /customers/${CUSTOMER}`]: { ...ACCOUNT, merged_into: "8840734670935" } });
  await shown("merged");
  expect(byId("merged").getAttribute("heading")).toContain("8840734670935");
});

test("an erased customer has no points and no history", async () => {
  const api = await show({ [`GET /customers/${CUSTOMER}`]: { ...NOBODY, erased: true } });
  await shown("erased");
  expect(api.to(HISTORY)).toEqual([]);
});

test("a debt is said as points, not as money", async () => {
  await show({ [`GET /customers/${CUSTOMER}`]: { ...ACCOUNT, figures: { ...ACCOUNT.figures, approved: -30 } } });
  await saying("Owes 30 points", "no money is owed");
});

test("an open hold has its code and its time, the till its balance and rank", async () => {
  const hold = { hold_id: "h", points: 500, state: "ready", discount_code: "PTS-1", expires_at: "2026-11-30T03:00:00Z", expires_in_seconds: 60 };
  const till = { status: "ok", balance: 1250, rank: "gold", rank_labels: { en: "Gold Member", ja: "ゴールド会員" }, as_of: "2026-11-30T03:00:00Z" };
  await show({ [`GET /customers/${CUSTOMER}`]: { ...ACCOUNT, hold, till } });
  await shown("hold");
  expect(byId("hold").textContent).toContain("500 points, code PTS-1, until");
  expect(byId("at-store").textContent).toContain("1,250 points, as of");
  expect(byId("rank").textContent).toContain("Gold Member");
});

test("no answer is said with what to do, and asked again", async () => {
  const api = await show({ "GET /me": undefined });
  await shown("problem");
  expect(byId("problem").getAttribute("heading")).toContain("does not answer");
  api.routes["GET /me"] = LOOKER;
  await press("again");
  await shown("available");
});

test("a login without the right is told whom to ask", async () => {
  await show({ [`GET /customers/${CUSTOMER}`]: { status: 403, code: "not_permitted" } });
  await shown("problem");
  expect(byId("problem").getAttribute("heading")).toContain("Whoever keeps the points programme");
});

test("in Japanese there is no English", async () => {
  await show({ [HISTORY]: { entries: [entry(12, { reason: "お詫び" }), OF_ORDER], next_cursor: null } }, inJapanese);
  await saying("1,250ポイント", "手動で追加", "返金による取り消し", "お詫び");
  expect(page().replace("Shopify", "")).not.toMatch(/[a-z]{3,}/i);
});
