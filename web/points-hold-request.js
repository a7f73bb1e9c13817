// The customer's request for a hold, stored for the lifetime of this tab: after a reload it is repeated
// with the same idempotency key, so that no points are taken twice. No DOM: Shopify's extensions use it as well.

const RESUMED_WITHIN_MS = 2 * 60_000;
const memory = new Map();

/** The request for this number of points: the one without an outcome yet, or a new one with a new key. */
export function requestFor(customer, points) {
  const open = read(requestName(customer));
  if (open?.points === points) return open;
  const request = { points, key: crypto.randomUUID(), at: Date.now() };
  write(requestName(customer), request);
  return request;
}

/** The request that a reload interrupted, or null; one from too long ago is dropped. */
export function interruptedRequest(customer) {
  const open = read(requestName(customer));
  if (open && Date.now() - open.at > RESUMED_WITHIN_MS) forgetRequest(customer);
  return read(requestName(customer));
}

/** Forget the request, since its outcome is known; the next one gets a new key. */
export function forgetRequest(customer) {
  write(requestName(customer), null);
}

/** Whether an answer leaves open what became of the request, so that it is repeated under the same key. */
export function isUnsure(code) {
  return code === "no_answer" || code === "ledger_unavailable" || code === "internal_error";
}

const requestName = (customer) => `pointbook.request.${customer}`;

// A browser may refuse storage to a page inside another one; the page then keeps it in memory.
function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return memory.get(name) ?? null;
  }
}

function write(name, value) {
  try {
    if (value) sessionStorage.setItem(name, JSON.stringify(value));
    else sessionStorage.removeItem(name);
  } catch {
    memory.set(name, value);
  }
}
