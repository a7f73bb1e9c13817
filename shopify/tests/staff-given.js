// What the tests of the staff's screens begin with: a host that is logged in, and a staff API that answers.

import { getExtension } from "@shopify/ui-extensions-tester";
import { join } from "node:path";
import { afterEach, beforeEach, expect, vi } from "vitest";

export const CUSTOMER = "8840734670934";
export const ORDER = "820982911946154508";
export const FIGURES = { approved: 1250, pending: 60, total: 1310, lifetime: 3000, spent: 1690, hold: 0 };

export const ME = {
  staff_id: "70000000001",
  shop: "demo.myshopify.com",
  may: { look: true, adjust: true, hold: true },
  time_zone: "Asia/Tokyo",
  limits: { points_per_action: 1000, points_per_day: 5000, points_left_today: 4800, resets_at: "2026-12-01T00:00:00.000+09:00" },
};
export const LOOKER = { ...ME, may: { look: true, adjust: false, hold: false }, limits: null };

export const ACCOUNT = {
  customer_id: CUSTOMER,
  shop: "demo.myshopify.com",
  figures: FIGURES,
  lots: [{ points: 300, expires_on: "2027-12-31" }, { points: 950, expires_on: null }],
  hold: null,
  pending_orders: [{ order_id: ORDER, order_name: "#1001", points: 60, comes_on: "2026-12-07" }],
  version: 12,
  as_of: "2026-11-28T00:00:00.000+00:00",
  merged_into: null,
  erased: false,
  till: null,
};
export const NOBODY = {
  ...ACCOUNT,
  figures: { approved: 0, pending: 0, total: 0, lifetime: 0, spent: 0, hold: 0 },
  lots: [],
  pending_orders: [],
  version: 0,
};

export function entry(version, more = {}) {
  return {
    entry_id: `${CUSTOMER}-${version}`,
    version,
    at: "2026-11-22T01:48:12.317+00:00",
    recorded_at: "2026-11-22T01:48:12.317+00:00",
    topic: "points/add/manual",
    moves: { approved: 200, issued: -200 },
    lots: [{ points: 200, expires_on: "2027-12-31" }],
    held_lots: [],
    approved_delta: 200,
    figures: FIGURES,
    source: "manual",
    actor: "staff:70000000001",
    cause: null,
    about: null,
    order_name: null,
    programme_version: null,
    reason: "Sorry",
    hash: "9f2c",
    ...more,
  };
}

export const EXPLAINED = {
  order_id: ORDER,
  name: "#1001",
  customer_id: CUSTOMER,
  currency: "JPY",
  base: 10_000,
  refunded: 3000,
  rule: {
    programme_version: 3,
    points_per_unit: 1,
    unit: 100,
    rounding: "floor",
    minimum: 0,
    tax_included: true,
    gift_cards_earn: false,
    pending_days: 0,
    debt_policy: "carry",
  },
  rank: { multiplier_percent: 150 },
  canceled: false,
  granted: 150,
  taken_back: 45,
  pending: 0,
  spent: 0,
  returned: 0,
  remaining: 105,
  entries: [],
  why: ["Base: 10000 JPY ..."],
};

const BASE = { "GET /me": ME, [`GET /customers/${CUSTOMER}`]: ACCOUNT, [`GET /customers/${CUSTOMER}/history`]: { entries: [], next_cursor: null } };

/** A staff API of routes, as `Api` of given.js: a body, a status with a body, what a function returns, or no answer. */
export class StaffApi {
  constructor(routes) {
    this.routes = { ...BASE, ...routes };
    this.calls = [];
    this.fetch = vi.fn((url, init) => this.answer(String(url), init));
  }

  async answer(url, init) {
    expect(url.startsWith("/v1/staff/"), url).toBe(true);
    expect(init.headers.Authorization).toBe("Bearer token");
    expect(init.credentials).toBe("omit");
    const { pathname, searchParams } = new URL(url, "https://app.example.com");
    const route = `${init.method} ${pathname.replace("/v1/staff", "")}`;
    this.calls.push({ route, body: init.body ? JSON.parse(init.body) : null, query: Object.fromEntries(searchParams) });
    let found = this.routes[route];
    if (typeof found === "function") found = await found(this.calls.at(-1));
    if (found === undefined) throw new TypeError("no answer");
    const { status = 200, ...content } = found;
    return new Response(JSON.stringify(content), { status });
  }

  to(route) {
    return this.calls.filter((call) => call.route === route);
  }
}

/** A target of the admin, of the extension in this folder, set up before each test of the file. */
export function inAdmin(target, folder, selected = `gid://shopify/Customer/${CUSTOMER}`) {
  const extension = getExtension(target, { configSearchDir: join(process.cwd(), "extensions", folder) });
  beforeEach(() => {
    extension.setUp();
    extension.shopify.auth.idToken = async () => "token";
    extension.shopify.i18n.translate = () => "en";
    if (selected) extension.shopify.data = { selected: [{ id: selected }] };
  });
  afterEach(() => {
    extension.tearDown();
    vi.restoreAllMocks();
  });
  return {
    extension,
    async show(routes = {}, change = (_shopify) => {}) {
      const api = new StaffApi(routes);
      extension.fetch = api.fetch;
      change(extension.shopify);
      await extension.render();
      return api;
    },
  };
}

export const inJapanese = (shopify) => {
  shopify.i18n.translate = () => "ja";
};
export const page = () => document.body.textContent;
