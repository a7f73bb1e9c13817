// The sale at the counter: what is held, what is in the cart, and what is left after every failure.

import { expect, test } from "vitest";
import { lastKnown } from "../shared/staff/last-known.js";
import { saleOf } from "../shared/staff/sale.js";

const CUSTOMER = "42";
const HOLD = { hold_id: "h1", points: 500, discount_code: "PTS-1", expires_at: "2026-11-30T03:00:00Z" };

function memory() {
  const kept = new Map();
  return {
    kept,
    get: async (name) => kept.get(name),
    set: async (name, value) => void kept.set(name, structuredClone(value)),
    delete: async (name) => kept.delete(name),
  };
}

/** A counter: a ledger with one customer, and a cart. `fails` are the calls that fail the next time, by name. */
function counter({ fails = {}, customer = 42 } = {}) {
  const calls = [];
  const made = new Map();
  const call = (name, act) =>
    async (...given) => {
      calls.push([name, ...given]);
      const failure = fails[name]?.shift?.();
      if (failure?.after) act(...given);
      if (failure) throw failure.problem ?? failure;
      return act(...given);
    };
  const value = { customer: customer && { id: customer }, cartDiscounts: [], properties: {}, subtotal: "800" };
  const held = { current: null };
  const api = {
    hold: call("hold", (_customer, { points, key }) => {
      if (!made.has(key)) made.set(key, { ...HOLD, points });
      held.current = made.get(key);
      return held.current;
    }),
    release: call("release", () => {
      held.current = null;
      return {};
    }),
  };
  const cart = {
    current: { value },
    setCustomer: call("setCustomer", (one) => void (value.customer = one)),
    addCartCodeDiscount: call("addCode", (code) => void (value.cartDiscounts = [{ amount: 500, discountDescription: code }])),
    removeCartDiscount: call("removeCode", () => void (value.cartDiscounts = [])),
    addCartProperties: call("addProperties", (more) => void Object.assign(value.properties, more)),
    removeCartProperties: call("removeProperties", (names) => names.forEach((name) => delete value.properties[name])),
  };
  const storage = memory();
  return { sale: saleOf({ api, customer: CUSTOMER, cart, storage, by: "7" }), calls, held, made, value, storage, names: () => calls.map(([name]) => name) };
}

const failed = (promise) => promise.then(() => expect.unreachable(), (failure) => failure);

test("points are held, and the hold's code goes into the cart", async () => {
  const { sale, calls, value, names, storage } = counter();
  await sale.use(500);
  expect(names()).toEqual(["hold", "addCode", "addProperties"]);
  expect(calls[0].slice(1)).toMatchObject([CUSTOMER, { points: 500, by: "7" }]);
  expect(calls[1][1]).toBe("PTS-1");
  expect(value.properties).toEqual({ points_hold: "h1" });
  expect(sale.isInCart(HOLD)).toBe(true);
  expect([...storage.kept.keys()]).toEqual([]);
});

test("the cart gets its customer first, since the code is for this customer", async () => {
  const { sale, names, value } = counter({ customer: null });
  await sale.use(500);
  expect(names()).toEqual(["hold", "setCustomer", "addCode", "addProperties"]);
  expect(value.customer).toEqual({ id: 42 });
});

test("a lost answer is asked for again under the same key", async () => {
  const { sale, made } = counter({ fails: { hold: [{ after: true, problem: { code: "no_answer" } }] } });
  expect((await failed(sale.use(500))).code).toBe("no_answer");
  await sale.use(500);
  expect(made.size).toBe(1);
});

test("another number of points is another request, and so is one after a refusal", async () => {
  const { sale, calls } = counter({ fails: { hold: [{ code: "no_answer" }, { code: "insufficient_points" }] } });
  await failed(sale.use(500));
  await failed(sale.use(600));
  await sale.use(600);
  expect(new Set(calls.filter(([name]) => name === "hold").map(([, , { key }]) => key)).size).toBe(3);
});

test("points whose code the cart refuses are given back", async () => {
  const { sale, held } = counter({ fails: { addCode: [new Error("refused")] } });
  expect(await failed(sale.use(500))).toEqual({ code: "not_applied" });
  expect(held.current).toBeNull();
});

test("points that cannot be given back are said with the time of their end", async () => {
  const { sale, held } = counter({ fails: { setCustomer: [new Error("x")], release: [{ code: "no_answer" }] }, customer: 7 });
  expect(await failed(sale.use(500))).toEqual({ code: "not_applied", isHeld: true, until: HOLD.expires_at });
  expect(held.current).not.toBeNull();
});

test("a cart that keeps no properties has the code all the same", async () => {
  const { sale } = counter({ fails: { addProperties: [new Error("x")] } });
  await sale.use(500);
  expect(sale.isInCart(HOLD)).toBe(true);
});

test("given back: the code leaves the cart, then the points are released", async () => {
  const { sale, names, value, held } = counter();
  await sale.use(500);
  await sale.giveBack(HOLD);
  expect(names().slice(3)).toEqual(["removeCode", "removeProperties", "release"]);
  expect([value.cartDiscounts, value.properties, held.current]).toEqual([[], {}, null]);
});

test("another discount of the cart stays", async () => {
  const { sale, value, names } = counter();
  value.cartDiscounts = [{ amount: 10, discountDescription: "Staff discount" }];
  expect(sale.isInCart(HOLD)).toBe(false);
  await sale.giveBack(HOLD);
  expect(names()).not.toContain("removeCode");
});

for (const [code, isHeld] of [
  ["no_answer", true],
  ["hold_releasing", true],
  ["hold_captured", false],
  ["hold_ended", false],
]) {
  test(`a release that ends with ${code} ${isHeld ? "says until when points are held" : "holds nothing any more"}`, async () => {
    const { sale } = counter({ fails: { release: [{ code }] } });
    await sale.use(500);
    expect(await failed(sale.giveBack(HOLD))).toEqual({ code, isHeld, until: HOLD.expires_at });
  });
}

test("a discount without a description is known by the cart's properties", () => {
  const { sale, value } = counter();
  value.cartDiscounts = [{ amount: 500 }];
  expect(sale.isInCart(HOLD)).toBe(false);
  value.properties.points_hold = "h1";
  expect(sale.isInCart(HOLD)).toBe(true);
  value.cartDiscounts = [];
  expect(sale.isInCart(HOLD)).toBe(false);
});

test("a discount described by its title is known by the hold in it", () => {
  const { sale, value } = counter();
  value.cartDiscounts = [{ amount: 500, discountDescription: "500 points, hold h1" }];
  expect(sale.isInCart(HOLD)).toBe(true);
});

test("a storage that fails loses nothing", async () => {
  const { sale, storage, held } = counter();
  const fail = async () => Promise.reject(new Error("full"));
  Object.assign(storage, { get: fail, set: fail, delete: fail });
  await sale.use(500);
  expect(held.current).not.toBeNull();
  expect(await sale.lastKnown()).toBeUndefined();
});

test("balances of the last fifty customers are kept, with their time and without names", async () => {
  const storage = memory();
  const known = lastKnown(storage);
  for (let customer = 0; customer < 60; customer++) await known.keep(String(customer), customer, "2026-11-30T03:00:00Z");
  await known.keep("30", 7, "2026-11-30T04:00:00Z");
  expect(await known.of("30")).toEqual({ customer: "30", points: 7, at: "2026-11-30T04:00:00Z" });
  expect([await known.of("9"), (await known.of("10")).points]).toEqual([undefined, 10]);
  expect(storage.kept.get("pointbook.balances").length).toBe(50);
});
