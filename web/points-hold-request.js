// The customer's request for a hold, stored until its outcome is known: after a reload it is repeated with the same
// idempotency key, so that no points are taken twice. No DOM: Shopify's extensions use it as well.

const RESUMED_WITHIN_MS = 2 * 60_000;

/**
 * The requests in a store such as sessionStorage; what it refuses is kept in memory.
 *
 * @param {() => Pick<Storage, "getItem" | "setItem" | "removeItem">} store
 */
export function holdRequests(store) {
  const memory = new Map();

  /** The request for this number of points: the one without an outcome yet, or a new one with a new key. */
  function requestFor(customer, points) {
    const open = read(requestName(customer));
    if (open?.points === points) return open;
    const request = { points, key: newKey(), at: Date.now() };
    write(requestName(customer), request);
    return request;
  }

  /** The request that a reload interrupted, or null; one from too long ago is dropped. */
  function interruptedRequest(customer) {
    const open = read(requestName(customer));
    if (open && Date.now() - open.at > RESUMED_WITHIN_MS) forgetRequest(customer);
    return read(requestName(customer));
  }

  /** Forget the request, since its outcome is known; the next one gets a new key. */
  function forgetRequest(customer) {
    write(requestName(customer), null);
  }

  // A browser may refuse storage to a page inside another one.
  function read(name) {
    try {
      return JSON.parse(store().getItem(name));
    } catch {
      return memory.get(name) ?? null;
    }
  }

  function write(name, value) {
    try {
      if (value) store().setItem(name, JSON.stringify(value));
      else store().removeItem(name);
    } catch {
      memory.set(name, value);
    }
  }

  return { requestFor, interruptedRequest, forgetRequest };
}

/** Whether an answer leaves open what became of the request, so that it is repeated under the same key. */
export function isUnsure(code) {
  return code === "no_answer" || code === "ledger_unavailable" || code === "internal_error";
}

/** Whether only the shop can do something about a refusal: to ask again is of no use. */
export function isBySetting(code) {
  return Boolean(code?.endsWith("_by_setting"));
}

const requestName = (customer) => `pointbook.request.${customer}`;

/** A random key; `randomUUID` is missing where a page or a worker does not count as secure. */
function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Those of this tab. */
export const { requestFor, interruptedRequest, forgetRequest } = holdRequests(() => sessionStorage);
