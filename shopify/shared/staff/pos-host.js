// What the staff's screens need of Shopify POS, in one place.

import { staffApi } from "./api.js";

/** The token is undefined where the login may not use the app. @param {{session: {getSessionToken: () => Promise<string | undefined>}}} shopify */
export const posApi = ({ session }) => staffApi(() => session.getSessionToken());

/** The cart's customer, or null. @param {{cart: {current: {value: {customer?: {id: number}}}}}} shopify */
export function cartCustomer({ cart }) {
  const id = cart.current.value.customer?.id;
  return id === undefined ? null : String(id);
}
