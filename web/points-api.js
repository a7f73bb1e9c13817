// The client of Pointbook's API, for the customer who is logged in. No DOM: Shopify's extensions use it as well.

const READ_MS = 10_000;
const WRITE_MS = 30_000; // the API's own limit
const HISTORY_LIMIT = 10;

/**
 * The calls of the API. Each returns the answer's JSON or throws a `Problem`.
 *
 * @typedef {{status: number, code: string, loginUrl?: string, retryAfter?: number}} Problem
 *   `status` 0 and `no_answer`: nobody knows whether anything was done. `retryAfter` is in seconds.
 * @param {string} apiUrl
 * @param {(() => string | null | Promise<string | null>) | undefined} token without it, the page's cookie is sent
 * @param {RequestCredentials} [cookie] to which APIs: "same-origin", or "include" where the API has a domain of its own
 * @param {{postOnly?: boolean}} [options] `postOnly`: only GET and POST and no header of ours gets through, as by an app
 *   proxy; the key is then in the body, and a hold is released by POST
 */
export function pointsApi(apiUrl, token, cookie = "same-origin", { postOnly = false } = {}) {
  const credentials = token ? "omit" : cookie;
  const ask = (method, path, more) =>
    fetchJson(`${apiUrl}/customers/me${path}`, method, token, { ...more, credentials });
  const post = (path, content, headers = {}) =>
    ask("POST", path, {
      body: JSON.stringify(content),
      headers: { "Content-Type": "application/json", ...headers },
    });
  return {
    /** The customer's points; `known`: as far as they are known without waiting for the till. */
    points: (locale, { known = false } = {}) =>
      ask("GET", `/points?locale=${locale}${known ? "&till=known" : ""}`),
    /** A page of the history, the newest entries first. */
    history: (cursor, limit = HISTORY_LIMIT) => ask("GET", historyPath(cursor, limit)),
    /** What an order earned and used. */
    order: (orderId) => ask("GET", `/orders/${encodeURIComponent(orderId)}/points`),
    /** Turn points into a discount code; the same `key` for each attempt of one request. */
    hold: (points, key) =>
      postOnly
        ? post("/holds", { points, idempotency_key: key })
        : post("/holds", { points }, { "Idempotency-Key": key }),
    /** Give the points of a hold back. */
    release: (holdId) => {
      const path = `/holds/${encodeURIComponent(holdId)}`;
      return postOnly ? post(`${path}/release`, {}) : ask("DELETE", path);
    },
  };
}

function historyPath(cursor, limit) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (cursor) query.set("cursor", cursor);
  return `/points/history?${query}`;
}

/**
 * The JSON of an answer; throws a `Problem`.
 *
 * @param {string} url
 * @param {string} method
 * @param {(() => string | null | Promise<string | null>) | undefined} token
 * @param {{headers?: Record<string, string>, body?: string, credentials?: RequestCredentials}} init
 */
export async function fetchJson(url, method, token, { headers = {}, body, credentials }) {
  let response;
  try {
    const session = token ? await token() : null;
    const identity = session ? { Authorization: `Bearer ${session}` } : {};
    response = await fetch(url, {
      method,
      headers: { Accept: "application/json", ...identity, ...headers },
      body,
      credentials,
      signal: AbortSignal.timeout(method === "GET" ? READ_MS : WRITE_MS),
    });
    if (response.ok) return await response.json();
  } catch {
    throw { status: 0, code: "no_answer" };
  }
  const problem = await response.json().catch(() => ({}));
  // What has no code does not come from Pointbook, but from something on the way.
  const code = problem.code ?? (response.status < 500 ? "refused" : "no_answer");
  const retryAfter = Number(response.headers.get("Retry-After")) || undefined;
  throw { status: response.status, code: codeOf(code, problem), loginUrl: problem.login_url, retryAfter };
}

/** A failure for which nobody but the shop can do anything has a code of its own here. */
function codeOf(code, problem) {
  return problem.may_be_retried === false ? `${code}_by_setting` : code;
}
