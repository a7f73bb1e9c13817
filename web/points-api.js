// Asks Pointbook's API for the customer who is logged in.

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
 */
export function pointsApi(apiUrl, token, cookie = "same-origin") {
  const credentials = token ? "omit" : cookie;
  const ask = (method, path, more) =>
    fetchJson(`${apiUrl}/customers/me${path}`, method, token, { ...more, credentials });
  return {
    /** `till: "known"`: what is known of the till, without waiting for it. */
    points: (locale, { till = "" } = {}) => ask("GET", `/points?locale=${locale}${till ? `&till=${till}` : ""}`),
    history: (cursor) => ask("GET", historyPath(cursor)),
    order: (orderId) => ask("GET", `/orders/${encodeURIComponent(orderId)}/points`),
    // Only GET, POST and the body: an app proxy may pass on nothing else.
    hold: (points, key) => ask("POST", "/holds", sent({ points, idempotency_key: key })),
    release: (holdId) => ask("POST", `/holds/${encodeURIComponent(holdId)}/release`, sent({})),
  };
}

function sent(body) {
  return { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

function historyPath(cursor) {
  const query = new URLSearchParams({ limit: String(HISTORY_LIMIT) });
  if (cursor) query.set("cursor", cursor);
  return `/points/history?${query}`;
}

async function fetchJson(url, method, token, { headers = {}, body, credentials }) {
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
  throw { status: response.status, code, loginUrl: problem.login_url, retryAfter };
}
