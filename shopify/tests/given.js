// What the tests of the extensions begin with: a host with an address set, and an API that answers.

import { getExtension } from "@shopify/ui-extensions-tester";
import { fireEvent, waitFor } from "@testing-library/preact";
import { join } from "node:path";
import { afterEach, beforeEach, expect, vi } from "vitest";

export const API = "https://points.example.com";
export const CODE = "PTS-MKXG-C85A-PRFE-PGGE";

export const FIGURES = { approved: 1250, pending: 60, total: 1310, lifetime: 3000, spent: 1690, hold: 0 };

export const POINTS = {
  customer_id: "42",
  figures: FIGURES,
  expiring: [{ points: 300, expires_on: "2027-12-31" }],
  hold: null,
  holds_offered: true,
  points_master: "ledger",
  time_zone: "Asia/Tokyo",
  earning: { points: 1, for_amount: "100", currency: "JPY", pending_days: 0 },
  rank_percent: null,
  hold_seconds: 600,
  expiry: { kind: "months", number: 12, to_end_of: "month", day: null, renewed: false },
  worth: { amount: "1250", point_amount: "1", currency: "JPY" },
  till: { status: "disabled", balance: null, stale: false },
  display: { balance: "1,250", expiry: null, rank: null, message: null, action: null, note: null },
};

export const HOLD = {
  hold_id: "h1",
  points: 500,
  state: "ready",
  discount_code: CODE,
  discount_amount: "500",
  currency: "JPY",
  cart_url: `https://demo.myshopify.com/discount/${CODE}?redirect=%2Fcart`,
  expires_at: new Date(Date.now() + 600_000).toISOString(),
  expires_in_seconds: 600,
};

export const WITH_HOLD = { ...POINTS, hold: HOLD, figures: { ...FIGURES, approved: 750, hold: 500 } };

export function entry(version, more = {}) {
  return {
    entry_id: `42-${version}`,
    version,
    at: "2026-11-22T01:48:12.317+00:00",
    reason: null,
    row: { kind: "earned", points: version, change: version, order_id: "1", comes_on: null },
    ...more,
  };
}

/** An API of routes: "GET /points" answers with a body, a status with a body, or what a function returns. */
export class Api {
  constructor(routes) {
    this.routes = { "GET /points/history": { entries: [], next_cursor: null }, ...routes };
    this.calls = [];
    this.fetch = vi.fn((url, init) => this.answer(String(url), init));
  }

  async answer(url, init) {
    expect(url.startsWith(`${API}/v1/customers/me/`), url).toBe(true);
    const { pathname, searchParams } = new URL(url);
    const route = `${init.method} ${pathname.replace("/v1/customers/me", "")}`;
    const body = init.body ? JSON.parse(init.body) : null;
    const call = { route, body, query: Object.fromEntries(searchParams), headers: init.headers };
    this.calls.push(call);
    let found = this.routes[route];
    if (typeof found === "function") found = await found(call);
    if (found === undefined) throw new TypeError("no answer");
    const { status = 200, ...content } = found;
    return new Response(JSON.stringify(content), { status });
  }

  to(route) {
    return this.calls.filter((call) => call.route === route);
  }
}

/** A target of the extension in this folder, set up before each test of the file. */
export function hosted(target, folder) {
  const extension = getExtension(target, { configSearchDir: join(process.cwd(), "extensions", folder) });
  beforeEach(() => {
    extension.setUp();
    extension.shopify.settings.value = { api_url: API };
    extension.shopify.sessionToken.get = async () => "token";
    inEditor(extension.shopify, null); // the tester does not know what only some hosts have
  });
  afterEach(() => {
    extension.tearDown();
    vi.restoreAllMocks();
  });
  return {
    extension,
    /** Show it with an API of these routes. */
    async show(routes, change = (_shopify) => {}) {
      const api = new Api(routes);
      extension.fetch = api.fetch;
      change(extension.shopify);
      await extension.render();
      return api;
    },
  };
}

export function inEditor(shopify, editor = { type: "checkout" }) {
  Object.defineProperty(shopify.extension, "editor", { value: editor, configurable: true });
}

export const byId = (id) => document.body.querySelector(`#${id}`);

export async function shown(id) {
  return waitFor(() => {
    const found = byId(id);
    expect(found, `#${id} in ${document.body.innerHTML}`).toBeTruthy();
    return found;
  });
}

export async function press(id) {
  fireEvent.click(await shown(id));
}

/** Press a button once nothing is under way any more, as a person has to. */
export async function pressWhenReady(id) {
  await waitFor(() => expect(byId(id)?.getAttribute("loading"), `#${id} is busy`).toBeNull(), { timeout: 3000 });
  await press(id);
}
