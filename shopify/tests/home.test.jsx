// The app's own page in the admin: search, rights, books, programme, state.

import { fireEvent, waitFor } from "@testing-library/preact";
import { expect, test, vi } from "vitest";
import { customerNumber, pastInstant } from "../shared/staff/search.js";
import { byId, press, pressWhenReady, shown } from "./given.js";
import { ACCOUNT, CUSTOMER, entry, EXPLAINED, inAdmin, inJapanese, LOOKER, ME, NOBODY, ORDER, page } from "./staff-given.js";

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

/** Shopify's own search, which finds these; `byNumber` is whom a number names. */
function finding(customers = [], orders = [], byNumber = null) {
  return (shopify) => {
    shopify.query = vi.fn(async (_query, { variables }) => ({
      data: { customers: { nodes: customers }, orders: { nodes: orders }, ...(variables.withId && { customer: byNumber }) },
    }));
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

test("a number goes straight to the account, under the name that Shopify has", async () => {
  const api = await show({}, finding([], [], HANAKO));
  await search(CUSTOMER);
  await shown("available");
  expect(shopify.query.mock.calls[0][1].variables).toMatchObject({ id: HANAKO.id, withId: true });
  await saying("hanako@example.com");
  expect(byId("unknown")).toBeNull();
  expect(api.to(`GET /customers/${CUSTOMER}`).length).toBe(1);
});

test("a number goes straight to the account also while Shopify does not answer", async () => {
  await show({}, (shopify) => {
    shopify.query = vi.fn(async () => Promise.reject(new Error("down")));
  });
  await search(CUSTOMER);
  await shown("available");
  expect(byId("unknown"), "nothing is known of the number").toBeNull();
});

test("a number that is nobody's is told apart from a customer without points", async () => {
  await show({ [`GET /customers/${CUSTOMER}`]: NOBODY }, finding());
  await search(CUSTOMER);
  expect((await shown("unknown")).getAttribute("heading")).toContain("Check the number");
});

test("points of a customer whom Shopify has deleted are shown, and said to be", async () => {
  await show({}, finding());
  await search(CUSTOMER);
  expect((await shown("unknown")).getAttribute("heading")).toContain("any more");
  expect(byId("available").textContent).toBe("1,250 points");
});

test("a number that is an order's name too offers both", async () => {
  await show({ [`GET /orders/${ORDER}`]: EXPLAINED }, finding([], [{ id: `gid://shopify/Order/${ORDER}`, name: "#100123" }], HANAKO));
  await search("100123");
  await saying("Order #100123", "Hanako Yamada");
  expect(byId("available")).toBeNull();
});

test("the Enter key searches, once", async () => {
  await show({}, finding([HANAKO]));
  const field = await shown("search");
  field.value = "hanako";
  fireEvent.input(field);
  const form = await shown("search-form");
  fireEvent.submit(form);
  fireEvent.submit(form);
  await saying("Hanako Yamada");
  expect(shopify.query).toHaveBeenCalledTimes(1);
});

test("people of one name without an address are told apart by their numbers", async () => {
  const two = ["1", "2"].map((digit) => ({ id: `gid://shopify/Customer/884073467093${digit}`, displayName: "Hanako Yamada", defaultEmailAddress: null }));
  await show({}, finding(two));
  await search("hanako");
  await saying("8840734670931", "8840734670932");
});

test("an order leads to its customer", async () => {
  await show({ [`GET /orders/${ORDER}`]: EXPLAINED }, finding([], [{ id: `gid://shopify/Order/${ORDER}`, name: "#1001" }], HANAKO));
  await search("#1001");
  await saying("Order #1001");
  fireEvent.click(button("Order #1001"));
  await press("to-customer");
  await shown("available");
  await saying("hanako@example.com", "usable from");
});

test("an order without a customer leads nowhere", async () => {
  await show({ [`GET /orders/${ORDER}`]: { ...EXPLAINED, customer_id: null } }, finding([], [{ id: `gid://shopify/Order/${ORDER}`, name: "#1001" }]));
  await search("#1001");
  await saying("Order #1001");
  fireEvent.click(button("Order #1001"));
  await shown("order");
  expect(byId("to-customer")).toBeNull();
});

test("a merged account leads to the one that has the points", async () => {
  const survivor = "8840734670999";
  const api = await show(
    { [`GET /customers/${CUSTOMER}`]: { ...ACCOUNT, merged_into: survivor }, [`GET /customers/${survivor}`]: { ...ACCOUNT, customer_id: survivor }, [`GET /customers/${survivor}/history`]: { entries: [], next_cursor: null } },
    finding(),
  );
  await search(CUSTOMER);
  await shown("merged");
  expect(byId("unknown"), "that it was merged says enough").toBeNull();
  await press("to-survivor");
  await waitFor(() => expect(api.to(`GET /customers/${survivor}`).length).toBe(1));
  await waitFor(() => expect(byId("merged")).toBeNull());
});

test("a past state hides what came later, reading on as far as it has to, and leads back", async () => {
  const pages = {
    undefined: { entries: [entry(3, { at: "2026-11-29T00:00:00.000+00:00", reason: "Later" })], next_cursor: "3" },
    3: { entries: [entry(2, { at: "2026-11-28T00:00:00.000+00:00", reason: "After" }), entry(1, { at: "2026-11-20T00:00:00.000+00:00", reason: "Before" })], next_cursor: null },
  };
  await show({ [`GET /customers/${CUSTOMER}/history`]: ({ query }) => pages[query.cursor] }, finding([], [], HANAKO));
  await search(CUSTOMER);
  await saying("Later");
  const field = await shown("as-of");
  field.value = "2026-11-21 09:00";
  fireEvent.input(field);
  await press("as-of-act");
  await saying("Before");
  expect(page()).not.toContain("Later");
  expect(page()).not.toContain("After");
  await press("as-of-now");
  await saying("Later");
  expect(byId("as-of-shown")).toBeNull();
  expect(byId("as-of").value).toBe("");
});

test("times are the shop's, which is said where the device is elsewhere", async () => {
  const elsewhere = { ...ME, time_zone: "Pacific/Kiritimati" };
  const at = { entries: [entry(1, { at: "2026-11-30T15:00:00.000+00:00" })], next_cursor: null };
  const api = await show({ "GET /me": elsewhere, [`GET /customers/${CUSTOMER}/history`]: at }, finding([], [], HANAKO));
  await search(CUSTOMER);
  await saying("Dec 1, 2026, 5:00", "Times are those of Pacific/Kiritimati.");
  const field = await shown("as-of");
  field.value = "2026-11-30 09:00";
  fireEvent.input(field);
  await press("as-of-act");
  await shown("as-of-shown");
  expect(api.to(`GET /customers/${CUSTOMER}`).at(-1).query.at).toBe("2026-11-29T19:00:00.000Z");
  await waitFor(() => expect(byId("as-of-shown").getAttribute("heading")).toContain("Nov 30, 2026, 9:00"));
});

async function added(points) {
  await press("adjust");
  for (const [id, text] of [["points", points], ["reason", "Sorry"]]) {
    const field = await shown(id);
    field.value = text;
    fireEvent.input(field);
  }
  await press("main");
  await shown("preview");
  await pressWhenReady("main");
  await shown("booked");
}
const BOOKING = `POST /customers/${CUSTOMER}/adjustments`;

test("what is left of today is another number after each adjustment", async () => {
  let left = 4800;
  const me = () => ({ ...ME, limits: { ...ME.limits, points_left_today: left } });
  await show({ "GET /me": me, [BOOKING]: ({ body }) => ((left -= body.preview ? 0 : body.points), { figures: ACCOUNT.figures }) }, finding([], [], HANAKO));
  await search(CUSTOMER);
  await added("200");
  await press("adjust-back");
  await press("adjust");
  await waitFor(() => expect(byId("points").getAttribute("details")).toContain("4,600"));
});

test("points that are booked stay told where the account cannot be read again", async () => {
  let isDown = false;
  const account = () => (isDown ? { status: 503, code: "ledger_unavailable" } : ACCOUNT);
  await show({ [`GET /customers/${CUSTOMER}`]: account, [BOOKING]: ({ body }) => ((isDown = !body.preview), { figures: ACCOUNT.figures }) }, finding([], [], HANAKO));
  await search(CUSTOMER);
  await added("200");
  await shown("problem");
  expect(byId("booked")).not.toBeNull();
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
  const api = await show({}, finding([], [], HANAKO));
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
  await saying("Not over yet: up to November\u00a029,\u00a02026", "December 2026", "Never", "¥1,100");
  const rows = [...byId("movements").querySelectorAll("s-table-row")].map((row) => [...row.children].map((cell) => cell.textContent));
  expect(rows).toEqual([["Outstanding at the beginning", "900", ""], ["Granted", "+200", "1"], ["Outstanding at the end", "1,100", ""]]);
  expect(byId("closes").getAttribute("tone")).toBe("success");
  expect([...document.querySelectorAll("s-section")].map((one) => one.getAttribute("heading"))).toContain("November 2026");
});

test("a month that does not close or lacks days says so", async () => {
  await show({ "GET /me": MANAGER, "GET /books": { ...BOOKS, is_closed: false, missing: ["2026-11-03"] } });
  await press("nav-shop");
  await shown("missing");
  expect(byId("closes").getAttribute("tone")).toBe("critical");
});

test("days that are missing in a row are one, and what closes is what is on file", async () => {
  const missing = ["2026-11-03", "2026-11-28", "2026-11-29", "2026-11-30"];
  await show({ "GET /me": MANAGER, "GET /books": { ...BOOKS, missing } });
  await press("nav-shop");
  const heading = (await shown("missing")).getAttribute("heading").replaceAll("\u00a0", " ");
  expect(heading).toBe("Not on file: November 3, 2026, November 28, 2026 to November 30, 2026");
  expect(byId("closes").getAttribute("heading")).toBe("All days on file close.");
  expect(page(), "the month is over").not.toContain("Not over yet");
});

const KINDS = ["granted", "promised", "approved", "cancelled", "held", "released", "spent", "spent_expired", "returned", "expired", "reversed", "undone", "removed", "restored", "extended", "merged", "other", "unheard_of"];

for (const [language, change] of [["en", () => {}], ["ja", inJapanese]]) {
  test(`every kind of movement has its words and its sign (${language})`, async () => {
    const movements = Object.fromEntries(KINDS.map((kind) => [kind, { entries: 1, points: 5 }]));
    await show({ "GET /me": MANAGER, "GET /books": { ...BOOKS, total: { ...BOOKS.total, movements } } }, change);
    await press("nav-shop");
    await shown("movements");
    for (const kind of KINDS) expect(byId(`moved-${kind}`).children[0].textContent).not.toBe(kind);
    expect(byId("moved-expired").children[1].textContent).toBe("\u22125");
    expect(byId("moved-held").children[1].textContent).toBe("5");
  });
}

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
  expect(byId("new-value").getAttribute("details")).toBe("For each full unit · now: 1");
  expect(page()).toContain("Points per unit: twice as many");
  expect(api.calls.at(-1)).toMatchObject({ body: { rules: { points_per_unit: "2" }, order: { amount: "10000" } }, query: { locale: "en" } });
});

test("what is wrong with a change is named by its rule", async () => {
  const wrong = { ...PREVIEW, errors: [{ rule: "points_per_unit", text: "'many' is not a number" }], changes: [], order: null, file: null, command: null };
  await show({ "GET /me": MANAGER, "GET /programme": PROGRAMME, "POST /programme/preview": wrong });
  await tried("many");
  expect((await shown("errors")).textContent).toBe("Points per unit: 'many' is not a number");
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

test("a past instant is the shop's, also on the day on which its clocks change", () => {
  const now = Date.parse("2027-01-01T00:00:00Z");
  expect(pastInstant("2026-11-28 09:30", now, "Asia/Tokyo")).toBe("2026-11-28T00:30:00.000Z");
  expect(pastInstant("2026-03-29 00:30", now, "Europe/Berlin")).toBe("2026-03-28T23:30:00.000Z");
  expect(pastInstant("2026-03-29 12:00", now, "Europe/Berlin")).toBe("2026-03-29T10:00:00.000Z");
  expect(pastInstant("2027-01-01 08:59", now, "Asia/Tokyo")).toBe("2026-12-31T23:59:00.000Z");
  expect(pastInstant("2027-01-01 09:01", now, "Asia/Tokyo")).toBeNull();
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
