// What a customer has asked for, kept for as long as this tab lives: a reload asks for the same again,
// under the same key, so that no points are taken twice.

const RESUMED_WITHIN_MS = 2 * 60_000;
const memory = new Map();

/** The wish for so many points: the one whose outcome is not known yet, else a new one under a new key. */
export function wishFor(customer, points) {
  const open = read(wishName(customer));
  if (open?.points === points) return open;
  const wish = { points, key: crypto.randomUUID(), at: Date.now() };
  write(wishName(customer), wish);
  return wish;
}

/** The wish that a reload cut off, null if there is none. What is long ago is nobody's wish any more. */
export function wishCutOff(customer) {
  const open = read(wishName(customer));
  if (open && Date.now() - open.at > RESUMED_WITHIN_MS) wishIsOver(customer);
  return read(wishName(customer));
}

/** Its outcome is known: whatever is asked for next is a new wish. */
export function wishIsOver(customer) {
  write(wishName(customer), null);
}

/** Remember what a hold is worth at the checkout: only the answer that made it says so. */
export function rememberWorth(customer, { hold_id, discount_amount, currency }) {
  write(worthName(customer), { hold_id, discount_amount, currency });
}

/** What a hold is worth, `{discount_amount, currency}`; null if this tab did not make it. */
export function worthOf(customer, holdId) {
  const worth = read(worthName(customer));
  return worth?.hold_id === holdId ? worth : null;
}

const wishName = (customer) => `pointbook.wish.${customer}`;
const worthName = (customer) => `pointbook.worth.${customer}`;

// A browser may refuse to keep anything, for a page inside another one: then the page itself does.
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
