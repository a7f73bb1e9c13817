// The action on a customer's page in the admin: add or remove points.

import { fireEvent, waitFor } from "@testing-library/preact";
import { expect, test, vi } from "vitest";
import { byId, press, pressWhenReady, shown } from "./given.js";
import { CUSTOMER, FIGURES, inAdmin, inJapanese, LOOKER, page } from "./staff-given.js";

const { extension, show } = inAdmin("admin.customer-details.action.render", "points-adjust");
const ROUTE = `POST /customers/${CUSTOMER}/adjustments`;

/** Books what is sent, once for each key; a preview books nothing. */
class Ledger {
  booked = new Map();
  lost = 0;
  routes = { [ROUTE]: ({ body }) => this.answer(body) };

  answer({ points, idempotency_key: key, preview }) {
    if (!preview) this.booked.set(key, points);
    if (!preview && this.lost-- > 0) return undefined;
    const sum = [...this.booked.values()].reduce((all, one) => all + one, 0);
    const approved = FIGURES.approved + sum + (preview ? points : 0);
    return { status: preview ? 200 : 201, figures: { ...FIGURES, approved } };
  }
}

async function type(id, text) {
  const field = await shown(id);
  field.value = text;
  fireEvent.input(field);
}

async function choose(direction) {
  const list = document.querySelector("s-choice-list");
  list.values = [direction];
  fireEvent.change(list);
}

async function typed(points, reason = "Sorry") {
  await type("points", points);
  await type("reason", reason);
  await pressWhenReady("main");
}

test("a double click on the preview confirms nothing", async () => {
  const ledger = new Ledger();
  await show(ledger.routes);
  await typed("200");
  await shown("preview");
  fireEvent.click(byId("main"));
  await waitFor(() => expect(byId("main").getAttribute("loading")).toBeNull());
  expect(byId("preview")).not.toBeNull();
  expect(ledger.booked.size).toBe(0);
});

test("points are previewed, then added once by a double press", async () => {
  const ledger = new Ledger();
  const api = await show(ledger.routes);
  await typed("200");
  await shown("preview");
  expect(byId("preview").textContent).toContain("Now: 1,250 points");
  expect(byId("preview").textContent).toContain("Afterwards: 1,450 points");
  expect(ledger.booked.size).toBe(0);
  const button = byId("main");
  expect(button.textContent).toBe("Add 200 points");
  await waitFor(() => expect(button.getAttribute("loading")).toBeNull());
  fireEvent.click(button);
  fireEvent.click(button);
  await shown("booked");
  expect(api.to(ROUTE).filter(({ body }) => !body.preview).length).toBe(1);
  expect(byId("booked").getAttribute("heading")).toContain("1,450 points");
});

test("points are removed by the same way", async () => {
  const ledger = new Ledger();
  const api = await show(ledger.routes);
  await shown("points");
  await choose("remove");
  await waitFor(() => expect(byId("expires-on")).toBeNull());
  await typed("200", "By mistake");
  await shown("preview");
  expect(byId("main").textContent).toBe("Remove 200 points");
  await pressWhenReady("main");
  await shown("booked");
  expect([...ledger.booked.values()]).toEqual([-200]);
  expect(api.calls.at(-1).body.reason).toBe("By mistake");
});

test("a last day goes with added points", async () => {
  const api = await show(new Ledger().routes);
  await type("expires-on", "2027-01-31");
  await typed("200");
  await shown("preview");
  expect(api.calls.at(-1).body).toMatchObject({ points: 200, expires_on: "2027-01-31", preview: true });
});

test("a lost answer is asked for again under the same key", async () => {
  const ledger = new Ledger();
  ledger.lost = 1;
  await show(ledger.routes);
  await typed("200");
  await shown("preview");
  await pressWhenReady("main");
  await shown("problem");
  expect(page()).toContain("they are booked once");
  await pressWhenReady("main");
  await shown("booked");
  expect([...ledger.booked.values()]).toEqual([200]);
});

test("a window that is opened again after a lost answer books nothing twice", async () => {
  const ledger = new Ledger();
  ledger.lost = 1;
  const stored = new Map();
  const store = (shopify) => {
    shopify.storage.get = async (name) => stored.get(name);
    shopify.storage.set = async (name, value) => void stored.set(name, structuredClone(value));
    shopify.storage.delete = async (name) => stored.delete(name);
  };
  await show(ledger.routes, store);
  await typed("200");
  await shown("preview");
  await pressWhenReady("main");
  await shown("problem");
  expect(stored.size).toBe(1);
  extension.tearDown();
  extension.setUp();
  extension.shopify.auth.idToken = async () => "token";
  extension.shopify.i18n.translate = () => "en";
  extension.shopify.data = { selected: [{ id: `gid://shopify/Customer/${CUSTOMER}` }] };
  await show(ledger.routes, store);
  await typed("200");
  await shown("preview");
  await pressWhenReady("main");
  await shown("booked");
  expect([...ledger.booked.values()]).toEqual([200]);
  expect(stored.size).toBe(0);
});

test("a new decision has a new key", async () => {
  const api = await show({ [ROUTE]: () => ({ status: 422, code: "insufficient_points", figures: FIGURES }) });
  await typed("200");
  await shown("problem");
  expect(byId("problem").getAttribute("heading")).toContain("does not have that many points");
  await typed("200");
  const keys = api.to(ROUTE).map(({ body }) => body.idempotency_key);
  await waitFor(() => expect(new Set(keys).size).toBe(keys.length));
});

for (const [points, reason, field] of [
  ["0", "Sorry", "points"],
  ["1.5", "Sorry", "points"],
  ["1001", "Sorry", "points"],
  ["many", "Sorry", "points"],
  ["200", "  ", "reason"],
  ["200", "x".repeat(256), "reason"],
]) {
  test(`${JSON.stringify(points)} with a reason of ${reason.trim().length} characters is not sent`, async () => {
    const api = await show();
    await typed(points, reason);
    await waitFor(() => expect(byId(field).getAttribute("error")).toBeTruthy());
    expect(api.to(ROUTE)).toEqual([]);
  });
}

test("a day that is none is not sent", async () => {
  const api = await show();
  await type("expires-on", "next year");
  await typed("200");
  await waitFor(() => expect(byId("expires-on").getAttribute("error")).toBeTruthy());
  expect(api.to(ROUTE)).toEqual([]);
});

test("numbers may be typed in full width and with commas", async () => {
  const api = await show(new Ledger().routes);
  await typed("１，０００");
  await shown("preview");
  expect(api.calls.at(-1).body.points).toBe(1000);
});

for (const [status, code, words] of [
  [429, "daily_limit_reached", "limit for today"],
  [422, "action_limit_exceeded", "more than you may move at once"],
  [403, "not_permitted", "does not have the right"],
  [401, "token_expired", "Open this page again"],
  [503, "ledger_unavailable", "busy"],
  [418, "something_new", "something_new"],
]) {
  test(`${code} is said with what to do`, async () => {
    await show({ [ROUTE]: { status, code } });
    await typed("200");
    await shown("problem");
    expect(byId("problem").getAttribute("heading")).toContain(words);
  });
}

test("who may only look is told so, and has no form", async () => {
  await show({ "GET /me": LOOKER });
  await shown("not-allowed");
  expect(byId("points")).toBeNull();
});

test("it can be closed, and a preview be changed", async () => {
  await show(new Ledger().routes, (shopify) => {
    shopify.close = vi.fn();
  });
  await typed("200");
  await shown("preview");
  await press("back");
  await shown("points");
  expect(byId("points").getAttribute("value")).toBe("200");
  await press("back");
  expect(shopify.close).toHaveBeenCalled();
});

test("in Japanese there is no English", async () => {
  await show(new Ledger().routes, inJapanese);
  await typed("200", "お詫び");
  await shown("preview");
  expect(page()).not.toMatch(/[a-z]{3,}/i);
  expect(byId("main").textContent).toBe("200ポイントを追加");
});
