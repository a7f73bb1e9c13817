// The client of Pointbook's API for the shop's staff (docs/api.md, Staff).

import { fetchJson } from "../../../web/points-api.js";
import { apiUrl } from "../address.js";

/** Shopify resolves what is relative against the app's own address, which is the API's. */
const AT_THE_APP = "/v1";

/**
 * The calls of the API. Each returns the answer's JSON or throws a `Problem` of `web/points-api.js`.
 *
 * @param {() => string | null | undefined | Promise<string | null | undefined>} token Shopify's token for who is logged in
 * @param {string} [url] of the API's version 1
 */
export function staffApi(token, url = apiUrl(undefined) ?? AT_THE_APP) {
  const identity = async () => (await token()) ?? null;
  const ask = (method, path, content) =>
    fetchJson(`${url}/staff${path}`, method, identity, {
      credentials: "omit",
      ...(content && { body: JSON.stringify(content), headers: { "Content-Type": "application/json" } }),
    });
  const customer = (id, path = "") => `/customers/${encodeURIComponent(id)}${path}`;
  return {
    /** Who is logged in, and what they may do. */
    me: () => ask("GET", "/me"),
    /** The account, now or as of a past instant (RFC 3339). */
    account: (id, at) => ask("GET", customer(id, query({ at }))),
    /**
     * A page of the entries, the newest first.
     *
     * @param {string} id
     * @param {{cursor?: string, limit?: number}} [page]
     */
    history: (id, { cursor, limit } = {}) => ask("GET", customer(id, `/history${query({ cursor, limit })}`)),
    /** Why an order earned what it earned. */
    order: (orderId) => ask("GET", `/orders/${encodeURIComponent(orderId)}`),
    /**
     * Add or remove points; the same `key` for each attempt of one decision.
     *
     * @param {string} id
     * @param {{points: number, reason: string, key: string, expiresOn?: string, preview?: boolean, by?: string}} what
     */
    adjust: (id, { key, expiresOn, ...what }) =>
      ask("POST", customer(id, "/adjustments"), { ...what, expires_on: expiresOn, idempotency_key: key }),
    /**
     * Hold points for a sale; the same `key` for each attempt of one request.
     *
     * @param {string} id
     * @param {{points: number, key: string, by?: string}} what
     */
    hold: (id, { key, ...what }) => ask("POST", customer(id, "/holds"), { ...what, idempotency_key: key }),
    /** A month's statements on file, such as 2026-11; without one the shop's current month. */
    books: (/** @type {string | undefined} */ month) => ask("GET", `/books${query({ month })}`),
    /** The rules in force, with names in a language. */
    programme: (/** @type {string} */ locale) => ask("GET", `/programme${query({ locale })}`),
    /** What a change of rules would do; nothing is written. */
    previewProgramme: (/** @type {string} */ locale, /** @type {any} */ change) => ask("POST", `/programme/preview${query({ locale })}`, change),
    /** What is failing, and the command that heals it. */
    status: () => ask("GET", "/status"),
    /** Give the points of a hold back. */
    release: (id, holdId) => ask("POST", customer(id, `/holds/${encodeURIComponent(holdId)}/release`), {}),
  };
}

/** @param {Record<string, unknown>} values what is undefined or null is left out */
function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}

/** @typedef {ReturnType<typeof staffApi>} StaffApi */
