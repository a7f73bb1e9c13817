// Shopify POS: the tile, its window, and the block on a customer's page.

import { getExtension } from "@shopify/ui-extensions-tester";
import { fireEvent, waitFor } from "@testing-library/preact";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { byId, press, shown } from "./given.js";
import { ACCOUNT, CUSTOMER, LOOKER, ME, page, StaffApi } from "./staff-given.js";

const WORTH = { ...ME, worth: { point_amount: "1", currency: "JPY" } };
const HOLD = { hold_id: "h1", points: 500, state: "ready", discount_code: "PTS-1", expires_at: "2026-11-30T03:00:00Z", expires_in_seconds: 600 };
const HOLDS = `POST /customers/${CUSTOMER}/holds`;
const RELEASE = `POST /customers/${CUSTOMER}/holds/h1/release`;
const LOOK = `GET /customers/${CUSTOMER}`;

const targets = Object.fromEntries(
  ["pos.home.tile.render", "pos.home.modal.render", "pos.customer-details.block.render", "pos.customer-details.action.render"].map((target) => [
    target,
    getExtension(target, { configSearchDir: join(process.cwd(), "extensions", "points-pos") }),
  ]),
);
let extension;
let cart;

beforeEach(() => {
  cart = { customer: { id: Number(CUSTOMER) }, subtotal: "800", cartDiscounts: [], properties: {} };
});
afterEach(() => {
  extension.tearDown();
  vi.restoreAllMocks();
});

async function show(target, routes = {}, { language = "en", online = true, token = "token", stored = new Map() } = {}) {
  extension = targets[target];
  extension.setUp();
  const { shopify } = extension;
  shopify.i18n.translate = () => language;
  shopify.connectivity.current.value = { internetConnected: online ? "Connected" : "Disconnected" };
  shopify.session.getSessionToken = async () => token ?? undefined;
  shopify.session.currentSession = { ...shopify.session.currentSession, currency: "JPY", userId: 1 };
  shopify.storage.get = async (name) => stored.get(name);
  shopify.storage.set = async (name, value) => void stored.set(name, structuredClone(value));
  shopify.storage.delete = async (name) => stored.delete(name);
  if (target.includes("customer")) shopify.customer.id = Number(CUSTOMER);
  if (shopify.cart) {
    shopify.cart.current.value = { ...shopify.cart.current.value, ...cart };
    const change = (part) => {
      shopify.cart.current.value = { ...shopify.cart.current.value, ...part };
    };
    shopify.cart.setCustomer = vi.fn(async (customer) => change({ customer }));
    shopify.cart.addCartCodeDiscount = vi.fn(async (code) => change({ cartDiscounts: [{ amount: 500, discountDescription: code }] }));
    shopify.cart.removeCartDiscount = vi.fn(async () => change({ cartDiscounts: [] }));
    shopify.cart.addCartProperties = vi.fn(async (properties) => change({ properties }));
    shopify.cart.removeCartProperties = vi.fn(async () => change({ properties: {} }));
    shopify.cart.applyCartDiscount = vi.fn();
  }
  const api = new StaffApi({ "GET /me": WORTH, ...routes });
  extension.fetch = vi.fn((url, init) => {
    if (token !== null) return api.fetch(url, init);
    expect(init.headers.Authorization).toBeUndefined();
    return new Response(JSON.stringify({ code: "token_missing" }), { status: 401 });
  });
  await extension.render();
  return { api, shopify, stored };
}

/** An account whose hold comes and goes as it is held and released. */
function ledger() {
  let hold = null;
  return {
    [LOOK]: () => ({ ...ACCOUNT, hold, figures: { ...ACCOUNT.figures, approved: hold ? 750 : 1250 } }),
    [HOLDS]: ({ body }) => {
      hold ??= { ...HOLD, points: body.points };
      return { status: 201, ...hold };
    },
    [RELEASE]: () => {
      hold = null;
      return { figures: ACCOUNT.figures };
    },
  };
}

const MODAL = "pos.home.modal.render";

async function pressWhenReady(id) {
  await waitFor(() => expect(byId(id)?.getAttribute("disabled")).toBeNull());
  await press(id);
}

test("one press holds what the sale can take, and its code goes into the cart", async () => {
  const { api, shopify } = await show(MODAL, ledger());
  await shown("available");
  expect(page()).toContain("1,250 points");
  expect(page()).toContain("worth ¥1,250");
  expect((await shown("use-all")).textContent).toBe("Use 800 points");
  fireEvent.click(byId("use-all"));
  fireEvent.click(byId("use-all"));
  await shown("in-cart");
  expect(api.to(HOLDS).map(({ body }) => body.points)).toEqual([800]);
  expect(shopify.cart.addCartCodeDiscount.mock.calls).toEqual([["PTS-1"]]);
  expect(shopify.cart.applyCartDiscount, "a fixed amount carries no code").not.toHaveBeenCalled();
});

test("a sale that is given up gives the points back", async () => {
  const { api, shopify } = await show(MODAL, ledger());
  await press("use-all");
  await press("give-back");
  await shown("use-all");
  expect(shopify.cart.removeCartDiscount).toHaveBeenCalledTimes(1);
  expect(api.to(RELEASE).length).toBe(1);
});

test("a number of points can be chosen", async () => {
  const { api } = await show(MODAL, ledger());
  const field = await shown("points");
  field.value = "３００";
  fireEvent.input(field);
  await press("use-some");
  await shown("in-cart");
  expect(api.to(HOLDS)[0].body.points).toBe(300);
});

for (const wrong of ["", "0", "1251", "1.5"]) {
  test(`${JSON.stringify(wrong)} points are not sent`, async () => {
    const { api } = await show(MODAL, ledger());
    const field = await shown("points");
    field.value = wrong;
    fireEvent.input(field);
    await press("use-some");
    await waitFor(() => expect(byId("points").getAttribute("error")).toContain("from 1 to 1,250"));
    expect(api.to(HOLDS)).toEqual([]);
  });
}

test("points that are held elsewhere are used in this sale, and not held again", async () => {
  const { api, shopify } = await show(MODAL, { [LOOK]: { ...ACCOUNT, hold: HOLD } });
  await press("use-held");
  await shown("in-cart");
  expect(shopify.cart.addCartCodeDiscount.mock.calls).toEqual([["PTS-1"]]);
  expect(api.to(HOLDS)).toEqual([]);
});

test("a code that was taken out of the cart by hand is noticed", async () => {
  const { shopify } = await show(MODAL, ledger());
  await press("use-all");
  await shown("in-cart");
  await shopify.cart.removeCartDiscount();
  await press("refresh");
  await shown("held");
});

test("a cart that refuses the code leaves no points held", async () => {
  const { api, shopify } = await show(MODAL, ledger());
  shopify.cart.addCartCodeDiscount = vi.fn(async () => Promise.reject(new Error("no")));
  await press("use-all");
  await shown("failure");
  expect(byId("failure").getAttribute("heading")).toContain("The points are back");
  expect(api.to(RELEASE).length).toBe(1);
});

test("no answer says what to do, and the next press asks under the same key", async () => {
  const routes = ledger();
  const hold = routes[HOLDS];
  let lost = 1;
  routes[HOLDS] = (call) => (lost-- > 0 ? undefined : hold(call));
  const { api } = await show(MODAL, routes);
  await press("use-all");
  await shown("failure");
  await pressWhenReady("use-all");
  await shown("in-cart");
  expect(new Set(api.to(HOLDS).map(({ body }) => body.idempotency_key)).size).toBe(1);
});

test("who may only look sees the points and no button", async () => {
  await show(MODAL, { "GET /me": { ...LOOKER, worth: WORTH.worth } });
  await shown("may-not");
  expect(byId("use-all")).toBeNull();
});

test("a login that may not use the app is told whom to ask", async () => {
  await show(MODAL, {}, { token: null });
  await shown("failure");
  expect(byId("failure").getAttribute("heading")).toContain("may not use the points app");
});

test("without a customer nothing is asked", async () => {
  cart.customer = undefined;
  const { api } = await show(MODAL);
  await shown("no-customer");
  expect(api.calls).toEqual([]);
});

test("without network nothing can be used, and the last balance is shown with its time", async () => {
  const stored = new Map([["pointbook.balances", [{ customer: CUSTOMER, points: 1250, at: "2026-11-30T03:00:00Z" }]]]);
  const { api } = await show(MODAL, {}, { online: false, stored });
  await shown("last-seen");
  expect(page()).toContain("Last seen here: 1,250 points, Nov 30, 2026");
  expect(byId("use-all")).toBeNull();
  expect(api.calls).toEqual([]);
});

test("a customer whom this device has not seen is said to be unknown", async () => {
  await show(MODAL, {}, { online: false });
  await waitFor(() => expect(page()).toContain("has not seen this customer"));
});

test("what is seen is kept for a time without network", async () => {
  const { stored } = await show(MODAL, ledger());
  await shown("available");
  expect(stored.get("pointbook.balances")).toMatchObject([{ customer: CUSTOMER, points: 1250 }]);
});

test("who pressed goes along where POS knows another user than the one who is logged in", async () => {
  const { api, shopify } = await show(MODAL, ledger());
  await shown("use-all");
  shopify.session.staffMember.value = { id: 70000000002 };
  await press("refresh");
  await pressWhenReady("use-all");
  await shown("in-cart");
  expect(api.to(HOLDS)[0].body.by).toBe("70000000002");
});

test("the tile opens its window, and names what is missing", async () => {
  cart.customer = undefined;
  const { shopify } = await show("pos.home.tile.render");
  shopify.action.presentModal = vi.fn();
  const tile = document.querySelector("s-tile");
  expect(tile.getAttribute("subheading")).toBe("Add a customer to the cart");
  fireEvent.click(tile);
  expect(shopify.action.presentModal).toHaveBeenCalled();
});

test("without network the tile says so", async () => {
  await show("pos.home.tile.render", {}, { online: false });
  expect(document.querySelector("s-tile").getAttribute("subheading")).toBe("No network");
});

test("the block on a customer's page shows the points and opens the window", async () => {
  const { shopify } = await show("pos.customer-details.block.render", ledger());
  shopify.action.presentModal = vi.fn();
  expect((await shown("available")).textContent).toBe("1,250 points");
  await press("open");
  expect(shopify.action.presentModal).toHaveBeenCalled();
});

test("the window of a customer's page sets the cart's customer before the code", async () => {
  cart.customer = undefined;
  const { shopify } = await show("pos.customer-details.action.render", ledger());
  await press("use-all");
  await shown("in-cart");
  expect(shopify.cart.setCustomer.mock.calls).toEqual([[{ id: Number(CUSTOMER) }]]);
  expect(shopify.cart.setCustomer.mock.invocationCallOrder[0]).toBeLessThan(shopify.cart.addCartCodeDiscount.mock.invocationCallOrder[0]);
});

test("in Japanese there is no English", async () => {
  await show(MODAL, ledger(), { language: "ja" });
  await press("use-all");
  await shown("in-cart");
  expect(page().replace("PTS-1", "")).not.toMatch(/[a-z]{3,}/i);
  expect(byId("in-cart").getAttribute("heading")).toBe("800ポイントをこのお会計で利用中");
});
