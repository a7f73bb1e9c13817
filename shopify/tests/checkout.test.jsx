// The checkout: one click turns points into a discount on this order.

import { createResult } from "@shopify/ui-extensions-tester/checkout";
import { waitFor } from "@testing-library/preact";
import { expect, test, vi } from "vitest";
import { byId, CODE, FIGURES, HOLD, hosted, POINTS, press, shown, WITH_HOLD } from "./given.js";

const { show } = hosted("purchase.checkout.reductions.render-after", "points-checkout");

const MADE = { ...HOLD, points: 800, figures: FIGURES };

function checkout({ amount = 800, currencyCode = "JPY", codes = [], customer = true, canUpdate = true } = {}) {
  return (shopify) => {
    const identity = customer ? { customer: { value: { id: "gid://shopify/Customer/42" } } } : undefined;
    Object.defineProperty(shopify, "buyerIdentity", { value: identity, configurable: true });
    shopify.instructions.value = {
      ...shopify.instructions.value,
      discounts: { ...shopify.instructions.value.discounts, canUpdateDiscountCodes: canUpdate },
    };
    shopify.cost.subtotalAmount.value = { amount, currencyCode };
    shopify.discountCodes.value = codes.map((code) => ({ code }));
    shopify.i18n.translate = (key, values = {}) => [key, ...Object.values(values)].join(" ");
    shopify.applyDiscountCodeChange = vi.fn(async () => createResult("applyDiscountCodeChange", { type: "success" }));
  };
}

test("one click holds what the order can take, and applies its code", async () => {
  const api = await show({ "GET /points": POINTS, "POST /holds": MADE }, checkout());
  expect((await shown("use")).textContent).toBe("checkout.use 800 points");
  await press("use");
  await waitFor(() => expect(shopify.applyDiscountCodeChange).toHaveBeenCalledWith({ type: "addDiscountCode", code: CODE }));
  expect(api.to("POST /holds").map(({ body }) => body.points)).toEqual([800]);
});

test("no more than the customer has", async () => {
  await show({ "GET /points": POINTS }, checkout({ amount: 9_999_999 }));
  expect((await shown("use")).textContent).toBe("checkout.use 1,250 points");
});

test("in another currency than the programme's all points are offered: what is not needed comes back", async () => {
  await show({ "GET /points": POINTS }, checkout({ amount: 8, currencyCode: "USD" }));
  expect((await shown("use")).textContent).toBe("checkout.use 1,250 points");
});

test("points that are held already are applied, and not held a second time", async () => {
  const api = await show({ "GET /points": WITH_HOLD }, checkout());
  await press("use");
  await waitFor(() => expect(shopify.applyDiscountCodeChange).toHaveBeenCalledWith({ type: "addDiscountCode", code: CODE }));
  expect(api.to("POST /holds")).toEqual([]);
});

test("what is applied can be taken off again: first the code, then the points", async () => {
  const order = [];
  await show(
    {
      "GET /points": WITH_HOLD,
      "POST /holds/h1/release": () => {
        order.push("release");
        return { figures: FIGURES };
      },
    },
    (shopify) => {
      checkout({ codes: [CODE] })(shopify);
      shopify.applyDiscountCodeChange = vi.fn(async ({ type }) => {
        order.push(type);
        return createResult("applyDiscountCodeChange", { type: "success" });
      });
    },
  );
  expect((await shown("applied")).textContent).toBe("checkout.applied 500 points");
  expect(byId("use")).toBeNull();
  await press("undo");
  await waitFor(() => expect(order).toEqual(["removeDiscountCode", "release"]));
});

test("a code that cannot be taken off keeps its points: both hold until its time", async () => {
  const refuse = (shopify) => {
    checkout({ codes: [CODE] })(shopify);
    shopify.applyDiscountCodeChange = async () => ({ type: "error", message: "no" });
  };
  const api = await show({ "GET /points": WITH_HOLD }, refuse);
  await press("undo");
  await shown("refused");
  expect(api.to("POST /holds/h1/release")).toEqual([]);
});

test("a discount that the checkout refuses is told, and its points can be used or given back", async () => {
  let held = false;
  const refuse = (shopify) => {
    checkout()(shopify);
    shopify.applyDiscountCodeChange = async () => ({ type: "error", message: "no" });
  };
  await show(
    {
      "GET /points": () => (held ? WITH_HOLD : POINTS),
      "POST /holds": () => {
        held = true;
        return MADE;
      },
    },
    refuse,
  );
  await press("use");
  await shown("refused");
  expect(byId("use").textContent).toBe("checkout.use 500 points");
  expect(byId("undo")).toBeTruthy();
});

test("points that could not be held are told", async () => {
  await show({ "GET /points": POINTS, "POST /holds": { status: 503, code: "hold_failed" } }, checkout());
  await press("use");
  await shown("message");
  expect(shopify.applyDiscountCodeChange).not.toHaveBeenCalled();
});

for (const [what, options, points] of [
  ["nobody is logged in", { customer: false }, POINTS],
  ["the checkout takes no codes", { canUpdate: false }, POINTS],
  ["there are no points", {}, { ...POINTS, figures: { ...FIGURES, approved: 0 } }],
  ["there is a debt", {}, { ...POINTS, figures: { ...FIGURES, approved: -50 } }],
  ["the till is master", {}, { ...POINTS, holds_offered: false }],
  ["holds are paused", {}, { ...POINTS, holds_offered: false, paused: ["holds"] }],
  ["the order costs nothing", { amount: 0 }, POINTS],
  ["the points cannot be read", {}, { status: 503, code: "ledger_unavailable" }],
]) {
  test(`nothing is shown where ${what}`, async () => {
    await show({ "GET /points": points }, checkout(options));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(document.body.innerHTML).toBe("");
  });
}
