// Finding a customer or an order by Shopify's own search, as who is logged in may. Nothing of it is kept, and none of it
// passes through Pointbook.

const SEARCH = `query Find($customers: String!, $orders: String!, $withOrders: Boolean!) {
  customers(first: 10, query: $customers) { nodes { id displayName defaultEmailAddress { emailAddress } } }
  orders(first: 5, query: $orders) @include(if: $withOrders) { nodes { id name } }
}`;

const NUMBER = /^[1-9]\d{5,19}$/;
const ORDER_NAME = /^#\S{1,40}$|^\d{1,9}$/;

/**
 * @param {(query: string, options: any) => Promise<{data?: any, errors?: any[]}>} query Shopify's direct API access
 * @param {string} typed
 * @returns {Promise<{customers: {id: string, name: string, email: string}[], orders: {id: string, name: string}[]}>}
 *   rejected if Shopify does not answer
 */
export async function find(query, typed) {
  const text = typed.normalize("NFKC").trim();
  const withOrders = ORDER_NAME.test(text);
  const { data, errors } = await query(SEARCH, {
    variables: { customers: text, orders: `name:${withOrders ? text.replace("#", "") : "0"}`, withOrders },
  });
  if (!data) throw new Error(errors?.[0]?.message ?? "no answer");
  const customers = data.customers.nodes.map((one) => ({ id: digits(one.id), name: one.displayName, email: one.defaultEmailAddress?.emailAddress ?? "" }));
  const orders = (data.orders?.nodes ?? []).map((one) => ({ id: digits(one.id), name: one.name }));
  return { customers, orders };
}

/** The customer's number, where one was typed. @param {string} typed */
export function customerNumber(typed) {
  const text = typed.normalize("NFKC").trim().replace(/^gid:\/\/shopify\/Customer\//, "");
  return NUMBER.test(text) ? text : null;
}

/** A past instant as the API takes it, of a day and a time of this device; null if it is none. @param {string} typed */
export function pastInstant(typed, now = Date.now()) {
  const found = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{1,2}):(\d{2}))?$/.exec(typed.normalize("NFKC").trim());
  if (!found) return null;
  const [year, month, day, hour, minute] = found.slice(1).map((part) => Number(part ?? 0));
  const at = new Date(year, month - 1, day, hour, minute);
  const isReal = at.getMonth() === month - 1 && at.getDate() === day && at.getMinutes() === minute;
  return isReal && at.getTime() <= now ? at.toISOString() : null;
}

const digits = (gid) => gid.split("/").at(-1);
