// The full page: balance, holds and history as a customer meets them.

import { createStorage } from "@shopify/ui-extensions-tester/customer-account";
import { fireEvent, waitFor } from "@testing-library/preact";
import { expect, test } from "vitest";
import { byId, CODE, entry, FIGURES, HOLD, hosted, inEditor, POINTS, press, shown, WITH_HOLD } from "./given.js";

const { show } = hosted("customer-account.page.render", "points-page");

const MADE = { ...HOLD, figures: WITH_HOLD.figures };
const problem = (status, code) => ({ status, code });

async function type(text) {
  const field = await shown("amount");
  field.value = text;
  fireEvent.input(field);
}

async function submit() {
  await shown("use");
  fireEvent.submit(document.body.querySelector("s-form"));
}

test("the headline is what the customer can use", async () => {
  const api = await show({ "GET /points": POINTS });
  expect((await shown("headline")).textContent).toBe("1,250 points");
  expect(byId("expiring").textContent).toContain("300");
  expect(byId("pending").textContent).toContain("60");
  expect(api.to("GET /points")[0].headers.Authorization).toBe("Bearer token");
  expect(api.to("GET /points")[0].query).toEqual({ locale: "en", till: "known" });
  expect(byId("worth").textContent).toContain("¥1,250");
});

test("texts are in the language that Shopify chose", async () => {
  await show({ "GET /points": POINTS }, (shopify) => {
    shopify.localization.extensionLanguage.value = { isoCode: "ja" };
  });
  expect((await shown("headline")).textContent).toBe("1,250 ポイント");
  expect(byId("headline-label").textContent).toBe("利用可能ポイント");
});

test("points become a code with one request, and its link leads into the cart", async () => {
  let held = false;
  const api = await show({
    "GET /points": () => (held ? WITH_HOLD : POINTS),
    "POST /holds": () => {
      held = true;
      return MADE;
    },
  });
  await type("500");
  await submit();
  expect((await shown("code")).textContent).toBe(CODE);
  expect((await shown("cart-link")).getAttribute("href")).toBe(HOLD.cart_url);
  expect(byId("code-to-copy").getAttribute("text")).toBe(CODE);
  expect(byId("countdown").textContent).toMatch(/^(10 min 00|9 min 5\d) s left, until \d+:\d\d.[AP]M$/);
  const [sent, ...more] = api.to("POST /holds");
  expect(more).toEqual([]);
  expect(sent.body).toEqual({ points: 500, idempotency_key: expect.stringMatching(/.{16,}/) });
  expect(sent.headers["Idempotency-Key"], "an app proxy may lose it").toBeUndefined();
});

test("a full-width number with a comma is a number", async () => {
  const api = await show({ "GET /points": POINTS, "POST /holds": MADE });
  await type("１，２５０");
  await submit();
  await waitFor(() => expect(api.to("POST /holds")[0]?.body.points).toBe(1250));
});

for (const text of ["", "0", "1251", "1.5", "-1", "many"]) {
  test(`the amount "${text}" is told at the field, and nothing is sent`, async () => {
    const api = await show({ "GET /points": POINTS });
    await type(text);
    await submit();
    await waitFor(() => expect(byId("amount").getAttribute("error")).toContain("1,250"));
    expect(api.to("POST /holds")).toEqual([]);
  });
}

test("a code is shown even if nothing can be read after it was made", async () => {
  let reads = 0;
  await show({
    "GET /points": () => (++reads > 1 ? problem(503, "ledger_unavailable") : POINTS),
    "POST /holds": MADE,
  });
  await press("all");
  await submit();
  expect((await shown("code")).textContent).toBe(CODE);
});

test("an answer that is lost is asked for again with the same key", async () => {
  const keys = [];
  const api = await show({
    "GET /points": POINTS,
    "POST /holds": ({ body }) => {
      keys.push(body.idempotency_key);
      return keys.length > 1 ? MADE : undefined;
    },
  });
  await type("500");
  await submit();
  await shown("message");
  await submit();
  await waitFor(() => expect(api.to("POST /holds").length).toBe(2));
  expect(keys[0]).toBe(keys[1]);
});

test("after a refusal the next request has a new key", async () => {
  const api = await show({ "GET /points": POINTS, "POST /holds": problem(503, "hold_failed") });
  await type("500");
  await submit();
  expect((await shown("message")).getAttribute("tone")).toBe("critical");
  await submit();
  await waitFor(() => expect(api.to("POST /holds").length).toBe(2));
  const [first, second] = api.to("POST /holds");
  expect(first.body.idempotency_key).not.toBe(second.body.idempotency_key);
});

test("a request that a reload interrupted is sent again with its key", async () => {
  const kept = { points: 500, key: "the-key", at: Date.now() };
  const api = await show({ "GET /points": POINTS, "POST /holds": MADE }, (shopify) => {
    shopify.storage = createStorage({ pointbook: { "pointbook.request.42": JSON.stringify(kept) } });
  });
  await waitFor(() => expect(api.to("POST /holds")[0]?.body).toEqual({ points: 500, idempotency_key: "the-key" }));
});

test("a storage that fails does not keep anybody from their points", async () => {
  const fail = async () => {
    throw new Error("no storage");
  };
  const api = await show({ "GET /points": POINTS, "POST /holds": MADE }, (shopify) => {
    shopify.storage = { ...createStorage(), read: fail, write: fail };
  });
  await type("500");
  await submit();
  await waitFor(() => expect(api.to("POST /holds").length).toBe(1));
});

test("held points go back, by a call that every proxy passes on", async () => {
  let held = true;
  const api = await show({
    "GET /points": () => (held ? WITH_HOLD : POINTS),
    "POST /holds/h1/release": () => {
      held = false;
      return { figures: FIGURES };
    },
  });
  await press("release");
  expect((await shown("message")).getAttribute("tone")).toBe("success");
  await waitFor(() => expect(byId("code")).toBeNull());
  expect(api.to("POST /holds/h1/release")[0].body).toEqual({});
});

test("a hold that is being released has no code to use", async () => {
  const hold = { ...HOLD, state: "releasing", discount_code: null, cart_url: null };
  await show({ "GET /points": { ...WITH_HOLD, hold } });
  await shown("held");
  expect(byId("code")).toBeNull();
  expect(byId("again").textContent).toBe("Return them now");
  expect(byId("held").textContent).toContain("Your 500 points are coming back, by ");
  expect(byId("reserved").textContent).toBe("500 points coming back to you");
});

test("a code that is being made can be asked for again, or canceled", async () => {
  const hold = { ...HOLD, state: "preparing", discount_code: null, cart_url: null };
  await show({ "GET /points": { ...WITH_HOLD, hold } });
  expect((await shown("held")).textContent).toBe("Your discount code is being made");
  expect(byId("again").textContent).toBe("Get my code");
  expect(byId("release").textContent).toBe("Cancel and get my points back");
});

test("who has used all points is told so, and what is on its way", async () => {
  await show({ "GET /points": { ...POINTS, figures: { ...FIGURES, approved: 0, total: 60 }, expiring: [] } });
  expect((await shown("nothing-left")).textContent).toBe("You have no points to use at the moment.");
  expect(byId("pending").textContent).toContain("60 points on the way");
});

test("where the till is master its points are used at the store", async () => {
  const till = { status: "ok", balance: 900, stale: false };
  await show({ "GET /points": { ...POINTS, points_master: "till", holds_offered: false, till } });
  expect((await shown("where")).textContent).toBe("Use them at the store.");
  expect(byId("nothing-left")).toBeNull();
});

test("how long a code works is said before the button", async () => {
  await show({ "GET /points": POINTS });
  await shown("use");
  expect(document.body.textContent).toContain("Complete your order within 10 minutes; points you don't use come back automatically.");
});

test("where only the shop can help, nothing is offered and nothing promised", async () => {
  const refusal = { ...problem(503, "hold_failed"), may_be_retried: false };
  await show({ "GET /points": POINTS, "POST /holds": refusal });
  await type("500");
  await submit();
  expect((await shown("message")).getAttribute("heading")).toContain("Please contact us.");
  expect(byId("use").hasAttribute("disabled")).toBe(true);
  expect(byId("amount").hasAttribute("disabled")).toBe(true);
  expect(byId("worth")).toBeNull();
});

test("where the till is master nobody is offered a code", async () => {
  await show({ "GET /points": { ...POINTS, holds_offered: false } });
  await shown("headline");
  expect(byId("use")).toBeNull();
});

for (const [language, earning, holds] of [
  ["en", "Points for new orders are added a little later", "Points can't be used right now."],
  ["ja", "ポイントの付与を一時停止", "ポイントのご利用を一時停止"],
]) {
  test(`what the shop has paused is said, and no code is offered (${language})`, async () => {
    const points = { ...POINTS, holds_offered: false, paused: ["earning", "holds", "something new"] };
    await show({ "GET /points": points }, (shopify) => {
      shopify.localization.extensionLanguage.value = { isoCode: language };
    });
    expect((await shown("paused-earning")).textContent).toContain(earning);
    expect(byId("paused-holds").textContent).toContain(holds);
    expect(byId("paused-something new")).toBeNull();
    expect(byId("use")).toBeNull();
  });
}

test("a request that meets a pause is told that no points were taken", async () => {
  await show({ "GET /points": POINTS, "POST /holds": problem(409, "holds_paused") });
  await type("500");
  await submit();
  expect((await shown("message")).getAttribute("heading")).toContain("No points were taken.");
});

test("the history shows pages one after the other, and leaves out what belongs to another row", async () => {
  const pages = {
    undefined: { entries: [entry(3), entry(2, { row: null })], next_cursor: "2" },
    2: { entries: [entry(1)], next_cursor: null },
  };
  await show({ "GET /points": POINTS, "GET /points/history": ({ query }) => pages[query.cursor] });
  await press("more");
  await waitFor(() => expect(byId("history").children.length).toBe(2));
  expect(byId("history").textContent).toContain("+3");
  expect(byId("history").textContent).toContain("+1");
  expect(byId("more")).toBeNull();
});

test("a history that cannot be read is said so and can be read again, beside figures that are there", async () => {
  let fails = true;
  await show({
    "GET /points": POINTS,
    "GET /points/history": () => (fails ? problem(503, "ledger_unavailable") : { entries: [entry(3)], next_cursor: null }),
  });
  await shown("history-failed");
  await shown("headline");
  fails = false;
  await press("more");
  await shown("history");
  expect(byId("history-failed")).toBeNull();
});

test("the till's value comes later, and the ledger's figures are there before", async () => {
  let answer;
  const slow = new Promise((resolve) => {
    answer = () => resolve({ ...POINTS, till: { status: "ok", balance: 900, stale: false }, display: { ...POINTS.display, balance: "900" } });
  });
  const till = { status: "pending", balance: null, stale: false };
  await show({ "GET /points": ({ query }) => (query.till ? { ...POINTS, till } : slow) });
  await shown("headline");
  expect(byId("store").textContent).not.toContain("900");
  answer();
  await waitFor(() => expect(byId("store").textContent).toBe("At the store: 900 points"));
});

test("a till that fails leaves the ledger's figures and says so", async () => {
  const display = { ...POINTS.display, balance: "Currently unavailable", message: "Please try again", action: "reload" };
  await show({ "GET /points": { ...POINTS, till: { status: "timeout", balance: null, stale: false }, display } });
  expect((await shown("headline")).textContent).toBe("1,250 points");
  expect(byId("store").textContent).toBe("At the store: Currently unavailable Please try again");
});

test("a customer whom the till does not know is told so", async () => {
  const till = { status: "not_registered", balance: null, stale: false };
  const display = { ...POINTS.display, balance: null, message: "Not registered at store" };
  await show({ "GET /points": { ...POINTS, till, display } });
  expect((await shown("store")).textContent).toBe("At the store: Not registered at store");
});

test("a day of the till that is over is told as over", async () => {
  const till = { status: "ok", balance: 900, expires_on: "2025-12-31", stale: false };
  const display = { ...POINTS.display, balance: "900", expiry: "December 31, 2025", rank: "Gold Member" };
  await show({ "GET /points": { ...POINTS, till, display } });
  expect((await shown("store")).textContent).toBe("At the store: 900 points · expired on December 31, 2025 · Gold Member");
});

test("where only the till's rank is shown it has a label of its own", async () => {
  const till = { status: "ok", balance: FIGURES.approved, expires_on: null, stale: false };
  await show({ "GET /points": { ...POINTS, till, display: { ...POINTS.display, rank: "Gold Member" } } });
  expect((await shown("store")).textContent).toBe("Store membership: Gold Member");
});

test("who is not logged in is asked to log in", async () => {
  await show({ "GET /points": problem(401, "token_missing") });
  await shown("login");
});

test("an outage is told and can be tried again", async () => {
  let fails = true;
  await show({ "GET /points": () => (fails ? problem(503, "ledger_unavailable") : POINTS) });
  await shown("reload");
  fails = false;
  await press("reload");
  await shown("headline");
});

test("without an address nothing is sent anywhere", async () => {
  const api = await show({}, (shopify) => {
    shopify.settings.value = { api_url: "http://elsewhere.example.com" };
  });
  await shown("outage");
  expect(api.calls).toEqual([]);
});

test("in the editor a merchant sees a sample, and nobody's points are read or used", async () => {
  const api = await show({}, (shopify) => inEditor(shopify));
  await shown("headline");
  await type("100");
  await submit();
  await shown("message");
  expect(api.calls).toEqual([]);
});

test("in the editor a missing address is told to the merchant alone", async () => {
  await show({}, (shopify) => {
    shopify.settings.value = { api_url: undefined };
    inEditor(shopify);
  });
  expect((await shown("setup")).getAttribute("heading")).toBe("setup");
});

test("a code whose time is over does not stay when the points cannot be read again", async () => {
  let reads = 0;
  const hold = { ...HOLD, expires_in_seconds: 1 };
  await show({ "GET /points": () => (++reads > 1 ? problem(503, "ledger_unavailable") : { ...WITH_HOLD, hold }) });
  await shown("code");
  await waitFor(() => expect(byId("outage")).toBeTruthy(), { timeout: 4000 });
  expect(byId("code")).toBeNull();
});

test("a page of the history without rows of its own is followed by the next one", async () => {
  const pages = {
    undefined: { entries: [entry(3, { row: null })], next_cursor: "3" },
    3: { entries: [entry(2, { row: null })], next_cursor: "2" },
    2: { entries: [entry(1)], next_cursor: null },
  };
  const api = await show({ "GET /points": POINTS, "GET /points/history": ({ query }) => pages[query.cursor] });
  await waitFor(() => expect(byId("history")?.children.length).toBe(1));
  expect(api.to("GET /points/history").length).toBe(3);
});

for (const [what, spent, said] of [
  ["that an order used says so", FIGURES.spent + 500, "Your points were used on an order."],
  ["whose time ran out says so", FIGURES.spent, "Time ran out. Points that weren't used on an order are available again."],
]) {
  test(`a hold ${what}`, async () => {
    let reads = 0;
    const hold = { ...HOLD, expires_in_seconds: 1 };
    const after = { ...POINTS, figures: { ...FIGURES, spent } };
    await show({ "GET /points": () => (++reads > 1 ? after : { ...WITH_HOLD, hold }) });
    await shown("code");
    await waitFor(() => expect(byId("message")?.getAttribute("heading")).toBe(said), { timeout: 4000 });
    expect(byId("code")).toBeNull();
  });
}

test("points that are held are told as reserved, not as lost", async () => {
  await show({ "GET /points": WITH_HOLD });
  expect((await shown("reserved")).textContent).toContain("500 points reserved");
});
