// The app's own page in the admin: search, rights, books, programme, state.

import { fireEvent, waitFor } from "@testing-library/preact";
import { expect, test, vi } from "vitest";
import { customerNumber, pastInstant } from "../shared/staff/search.js";
import { byId, press, shown } from "./given.js";
import { ACCOUNT, CUSTOMER, EXPLAINED, inAdmin, inJapanese, LOOKER, ME, ORDER, page } from "./staff-given.js";

const { show } = inAdmin("admin.app.home.render", "points-home", "");

const MANAGER = { ...ME, may: { ...ME.may, manage: true } };
const MOVED = { granted: { entries: 1, points: 200 } };
const BOOKS = {
  shop: "demo.myshopify.com", month: "2026-11", time_zone: "Asia/Tokyo", currency: "JPY", worth_minor: 1,
  is_over: false, as_of: "2026-11-29", missing: [], is_closed: true,
  total: { opening: 900, closing: 1100, movements: MOVED },
  days: [{ day: "2026-11-29", opening: 900, closing: 1100, movements: MOVED, held: 0, pending: 0, is_closed: true }],
  liability: { day: "2026-11-29", outstanding: 1100, value_minor: 1100, held: 0, owed: 0, pending: 0, by_expiry: [{ expires: "2026-12", points: 500, value_minor: 500 }, { expires: "never", points: 600, value_minor: 600 }], breakage: null },
};
const PROGRAMME = {
  shop: "demo.myshopify.com", version: 3, since: "2026-11-22T12:07:02.000+09:00", by: "hanako", time_zone: "Asia/Tokyo", currency: "JPY", warnings: [],
  groups: [{ group: "earning", name: "Earning points", rules: [{ rule: "points_per_unit", name: "Points per unit", meaning: "For each full unit", value: "1", default: "1" }] }],
};
const PREVIEW = {
  version: 3, errors: [], warnings: [{ rule: "points_per_unit", text: "twice as many" }],
  changes: [{ rule: "points_per_unit", name: "Points per unit", before: "1", after: "2" }],
  order: { amount_minor: 10_000, currency: "JPY", rank: null, before: { points: 100, comes_on: "2026-11-30", expires_on: "2027-11-30" }, after: { points: 200, comes_on: "2026-11-30", expires_on: null } },
  file: 'points_per_unit = "2"\n', command: "pointbook programme change rules.toml --env prod",
};
const WELL = { shop: "demo.myshopify.com", as_of: "2026-11-30T12:00:00.000+09:00", problems: [], till: null, imports: [] };

/** Shopify's own search, which finds these. */
function finding(customers = [], orders = []) {
  return (shopify) => {
    shopify.query = vi.fn(async () => ({ data: { customers: { nodes: customers }, orders: { nodes: orders } } }));
  };
}
const HANAKO = { id: `gid://shopify/Customer/${CUSTOMER}`, displayName: "Hanako Yamada", defaultEmailAddress: { emailAddress: "hanako@example.com" } };

async function search(text) {
  const field = await shown("search");
  field.value = text;
  fireEvent.input(field);
  await press("search-act");
}
const button = (text) => [...document.querySelectorAll("s-button")].find((one) => one.textContent.includes(text));
const saying = (...texts) => waitFor(() => texts.forEach((text) => expect(page()).toContain(text)));

test("a customer is found by name through Shopify, and nothing of it goes to Pointbook", async () => {
  const api = await show({}, finding([HANAKO]));
  await search("hanako");
  await saying("Hanako Yamada · hanako@example.com");
  fireEvent.click(button("Hanako"));
  await shown("available");
  expect(shopify.query.mock.calls[0][1].variables.customers).toBe("hanako");
  expect(JSON.stringify(api.calls)).not.toContain("anako");
});

test("a number goes straight to the account", async () => {
  const api = await show({}, finding());
  await search(CUSTOMER);
  await shown("available");
  expect(shopify.query).not.toHaveBeenCalled();
  expect(api.to(`GET /customers/${CUSTOMER}`).length).toBe(1);
});

test("an order is found by its name", async () => {
  await show({ [`GET /orders/${ORDER}`]: EXPLAINED }, finding([], [{ id: `gid://shopify/Order/${ORDER}`, name: "#1001" }]));
  await search("#1001");
  await saying("Order #1001");
  expect(shopify.query.mock.calls[0][1].variables).toMatchObject({ orders: "name:1001", withOrders: true });
  fireEvent.click(button("Order #1001"));
  await shown("order-earned");
});

test("nobody found is told apart from a search that fails", async () => {
  await show({}, finding());
  await search("nobody");
  await shown("nobody");
  shopify.query = vi.fn(async () => Promise.reject(new Error("down")));
  await waitFor(() => expect(byId("search-act").getAttribute("loading")).toBeNull());
  await press("search-act");
  await shown("search-failed");
});

test("an empty search does nothing", async () => {
  await show({}, finding());
  await search("   ");
  expect(shopify.query).not.toHaveBeenCalled();
});

test("a past state is asked for with its instant, and has no form", async () => {
  const api = await show({}, finding());
  await search(CUSTOMER);
  const field = await shown("as-of");
  field.value = "2026-01-31 09:00";
  fireEvent.input(field);
  await press("as-of-act");
  await shown("as-of-shown");
  expect(api.calls.at(-1).query.at ?? api.to(`GET /customers/${CUSTOMER}`).at(-1).query.at).toMatch(/^2026-01-3/);
  expect(byId("adjust")).toBeNull();
});

test("who may only look sees no other pages, who may not look is told so", async () => {
  await show({ "GET /me": LOOKER });
  await shown("search");
  expect(byId("nav")).toBeNull();
});

test("who may not look has no search", async () => {
  await show({ "GET /me": { ...LOOKER, may: { ...LOOKER.may, look: false } } });
  await shown("may-not-look");
  expect(byId("search")).toBeNull();
});

test("the month sums up, closes, and says what is owed by when it expires", async () => {
  await show({ "GET /me": MANAGER, "GET /books": BOOKS });
  await press("nav-shop");
  await shown("month-total");
  await saying("Not over yet: up to November\u00a029,\u00a02026", "Granted", "200 points", "1 entry", "December 2026", "Never", "¥1,100");
  expect(byId("closes").getAttribute("tone")).toBe("success");
});

test("a month that does not close or lacks days says so", async () => {
  await show({ "GET /me": MANAGER, "GET /books": { ...BOOKS, is_closed: false, missing: ["2026-11-03"] } });
  await press("nav-shop");
  await shown("missing");
  expect(byId("closes").getAttribute("tone")).toBe("critical");
});

test("a month without statements teaches when there will be one", async () => {
  await show({ "GET /me": MANAGER, "GET /books": { ...BOOKS, total: null, days: [], liability: null, as_of: null } });
  await press("nav-shop");
  await shown("no-statements");
});

test("another month is asked for, and one that is none is not", async () => {
  const api = await show({ "GET /me": MANAGER, "GET /books": BOOKS });
  await press("nav-shop");
  const field = await shown("month");
  for (const [text, asked] of [["October", 1], ["2026-10", 2]]) {
    field.value = text;
    fireEvent.input(field);
    await press("month-act");
    await waitFor(() => expect(api.to("GET /books").length).toBe(asked));
  }
  expect(api.calls.at(-1).query).toEqual({ month: "2026-10" });
});

async function tried(value) {
  await press("nav-programme");
  const field = await shown("new-value");
  field.value = value;
  fireEvent.input(field);
  await press("try");
}

test("a change is tried: before, after, and the command for the engineer", async () => {
  const api = await show({ "GET /me": MANAGER, "GET /programme": PROGRAMME, "POST /programme/preview": PREVIEW });
  await tried("2");
  await shown("previewed");
  expect(byId("sample-before").textContent).toContain("100 points");
  expect(byId("sample-after").textContent).toContain("200 points");
  expect(byId("command").textContent).toContain("--env prod");
  expect(page()).toContain("twice as many");
  expect(api.calls.at(-1)).toMatchObject({ body: { rules: { points_per_unit: "2" }, order: { amount: "10000" } }, query: { locale: "en" } });
});

test("what is wrong with a change is named by its rule", async () => {
  const wrong = { ...PREVIEW, errors: [{ rule: "points_per_unit", text: "'many' is not a number" }], changes: [], order: null, file: null, command: null };
  await show({ "GET /me": MANAGER, "GET /programme": PROGRAMME, "POST /programme/preview": wrong });
  await tried("many");
  await shown("errors");
  expect(byId("previewed")).toBeNull();
});

test("a change that changes nothing says so", async () => {
  const none = { ...PREVIEW, changes: [], order: null, file: null, command: null };
  await show({ "GET /me": MANAGER, "GET /programme": PROGRAMME, "POST /programme/preview": none });
  await tried("1");
  await shown("no-change");
});

test("all is well says so", async () => {
  await show({ "GET /me": MANAGER, "GET /status": WELL });
  await press("nav-state");
  await shown("all-well");
});

test("what fails is said in words, with the command that heals it", async () => {
  const problems = [
    { kind: "dead_letters", subject: "order_events", count: 1, since: null, severity: "error", command: "pointbook redrive order_events --env prod" },
    { kind: "something_new", subject: null, count: 2, since: null, severity: "warning", command: "pointbook doctor" },
  ];
  const imports = [{ import_id: "move", run_id: "r", kind: "import", dry_run: true, status: "running", rows: 1000, rows_done: 400 }];
  const till = { state: "open", kind: "timeout", since: null, last_success_at: null, comparison: { finished_at: "2026-11-30T01:00:00Z", compared: 120, differing: 1 } };
  await show({ "GET /me": MANAGER, "GET /status": { ...WELL, problems, imports, till } });
  await press("nav-state");
  await shown("check");
  const headings = [...document.querySelectorAll("s-section")].map((one) => one.getAttribute("heading"));
  expect(headings.slice(0, 2)).toEqual(["1 message could not be worked on (order_events)", "something_new: 2"]);
  await saying("pointbook redrive order_events --env prod", "The till does not answer.", "120 members compared, 1 differs", "move: 400 of 1,000 rows", "is running · dry run");
});

test("in Japanese there is no English", async () => {
  await show({ "GET /me": MANAGER, "GET /books": BOOKS, "GET /status": WELL }, inJapanese);
  await press("nav-shop");
  await shown("month-total");
  expect(page()).not.toMatch(/[a-z]{3,}/i);
  await press("nav-state");
  await shown("all-well");
  expect(page()).not.toMatch(/[a-z]{3,}/i);
});

test("a customer's number is digits, or a gid, in any width", () => {
  expect(customerNumber(` ${CUSTOMER} `)).toBe(CUSTOMER);
  expect(customerNumber(`gid://shopify/Customer/${CUSTOMER}`)).toBe(CUSTOMER);
  expect(customerNumber("８８４０７３４６７０９３４")).toBe(CUSTOMER);
  for (const other of ["1001", "#1001", "hanako", "0123456"]) expect(customerNumber(other)).toBeNull();
});

test("a past instant is a real day and time that is over", () => {
  const now = Date.parse("2026-11-30T12:00:00Z");
  expect(pastInstant("2026-11-28 09:30", now)).toBe(new Date(2026, 10, 28, 9, 30).toISOString());
  expect(pastInstant("2026-11-28", now)).toBe(new Date(2026, 10, 28).toISOString());
  for (const wrong of ["2026-02-30", "2026-11-28 09:75", "yesterday", "2099-01-01", "2026-11-28 9"]) expect(pastInstant(wrong, now)).toBeNull();
});

test("an account of an unknown customer is told from an error", async () => {
  await show({ [`GET /customers/${CUSTOMER}`]: { ...ACCOUNT, version: 0, figures: { approved: 0, pending: 0, total: 0, lifetime: 0, spent: 0, hold: 0 }, lots: [], pending_orders: [] } }, finding());
  await search(CUSTOMER);
  await saying("This customer has had no points so far.");
});
