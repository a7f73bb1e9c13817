// Finding a customer or an order by Shopify's own search, as who is logged in may. Nothing of it is kept, and none of it
// passes through Pointbook.

const SEARCH = `query Find($customers: String!, $orders: String!, $withOrders: Boolean!, $id: ID!, $withId: Boolean!) {
  customer(id: $id) @include(if: $withId) { ...Who }
  customers(first: 10, query: $customers) { nodes { ...Who } }
  orders(first: 5, query: $orders) @include(if: $withOrders) { nodes { id name } }
}
fragment Who on Customer { id displayName defaultEmailAddress { emailAddress } }`;

const NUMBER = /^[1-9]\d{5,19}$/;
const ORDER_NAME = /^#\S{1,40}$|^[A-Za-z-]{0,10}\d{1,9}[A-Za-z-]{0,5}$/;

/** @typedef {{id: string, name: string, email: string}} Person */

/**
 * What Shopify finds: the customer of a typed number apart from those who are found by name or e-mail.
 *
 * @param {(query: string, options: any) => Promise<{data?: any, errors?: any[]}>} query Shopify's direct API access
 * @param {string} typed
 * @returns {Promise<{byNumber: Person | null, customers: Person[], orders: {id: string, name: string}[]}>}
 *   rejected if Shopify does not answer
 */
export async function find(query, typed) {
  const text = typed.normalize("NFKC").trim();
  const number = customerNumber(text);
  const withOrders = ORDER_NAME.test(text);
  const { data, errors } = await query(SEARCH, {
    variables: {
      customers: text,
      orders: `name:${withOrders ? text.replace("#", "") : "0"}`,
      withOrders,
      id: `gid://shopify/Customer/${number ?? "0"}`,
      withId: number !== null,
    },
  });
  if (!data) throw new Error(errors?.[0]?.message ?? "no answer");
  const byNumber = data.customer ? person(data.customer) : null;
  const customers = data.customers.nodes.map(person).filter(({ id }) => id !== byNumber?.id);
  const orders = (data.orders?.nodes ?? []).map((one) => ({ id: digits(one.id), name: one.name }));
  return { byNumber, customers, orders };
}

/** The customer's number, where one was typed. @param {string} typed */
export function customerNumber(typed) {
  const text = typed.normalize("NFKC").trim().replace(/^gid:\/\/shopify\/Customer\//, "");
  return NUMBER.test(text) ? text : null;
}

/**
 * A past instant as the API takes it, of a day and a time; null if it is none.
 *
 * @param {string} typed
 * @param {number} [now]
 * @param {string} [timeZone] whose day and time it is; without it the device's
 */
export function pastInstant(typed, now = Date.now(), timeZone = undefined) {
  const found = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{1,2}):(\d{2}))?$/.exec(typed.normalize("NFKC").trim());
  if (!found) return null;
  const [year, month, day, hour, minute] = found.slice(1).map((part) => Number(part ?? 0));
  const wall = Date.UTC(year, month - 1, day, hour, minute);
  const isReal = new Date(wall).getUTCMonth() === month - 1 && new Date(wall).getUTCDate() === day && minute < 60;
  if (!isReal) return null;
  // Twice: the first guess may be on the other side of a change of the clocks.
  const guess = wall - offset(wall, timeZone);
  const at = wall - offset(guess, timeZone);
  return at <= now ? new Date(at).toISOString() : null;
}

/** By how many milliseconds a zone's clock is ahead of UTC at an instant of whole minutes. */
function offset(at, timeZone) {
  const parts = new Intl.DateTimeFormat("en", { timeZone, year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", hourCycle: "h23" }).formatToParts(at);
  const part = (type) => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute")) - at;
}

const digits = (gid) => gid.split("/").at(-1);
const person = (one) => ({ id: digits(one.id), name: one.displayName, email: one.defaultEmailAddress?.emailAddress ?? "" });
