// A customer's points in a sale at Shopify POS: they are held, and the hold's code goes into the cart. Never an amount: an
// order that names no code would leave the points where they are. No DOM.
//
//     use:        hold the points ──► put the code into the cart
//                                        │ refused
//                                        └──► release the points
//     give back:  take the code out of the cart ──► release the points
//
// The code is for one customer, one order, and as long as the hold lasts; the order's webhook spends the points.

import { isUnsure } from "../../../web/points-hold-request.js";
import { lastKnown } from "./last-known.js";

const PROPERTY = "points_hold"; // in the cart's properties, beside the code

/** @typedef {{code: string, isHeld?: boolean, until?: string}} Failure `isHeld`: the points are held until then */

/**
 * @param {{api: import("./api.js").StaffApi, customer: string, cart: any, storage: any, by?: string}} given
 *   `cart` and `storage` are Shopify POS's, `by` is the id of who entered a PIN, where POS knows it
 */
export function saleOf({ api, customer, cart, storage, by }) {
  const request = `pointbook.sale.${customer}`;
  const known = lastKnown(storage);

  /** Who is logged in, and the account; what is seen is kept for a time without network. */
  async function read() {
    const [me, account] = await Promise.all([api.me(), api.account(customer)]);
    await known.keep(customer, account.figures.approved);
    return { me, account };
  }

  /** Hold points and put their code into the cart. Throws a `Failure`. */
  async function use(points) {
    const open = await storage.get(request).catch(() => undefined);
    const key = open?.points === points ? open.key : crypto.randomUUID();
    await storage.set(request, { points, key }).catch(() => {});
    let hold;
    try {
      hold = await api.hold(customer, { points, key, by });
    } catch (problem) {
      if (!isUnsure(problem.code)) await forget();
      throw problem;
    }
    await forget();
    try {
      await apply(hold);
    } catch {
      await releaseAfterFailure(hold);
    }
  }

  /** Put the code of an open hold into the cart, for its customer. */
  async function apply(hold) {
    if (String(cart.current.value.customer?.id ?? "") !== customer) await cart.setCustomer({ id: Number(customer) });
    await cart.addCartCodeDiscount(hold.discount_code);
    await cart.addCartProperties({ [PROPERTY]: hold.hold_id }).catch(() => {});
  }

  async function releaseAfterFailure(hold) {
    try {
      await api.release(customer, hold.hold_id);
    } catch {
      throw /** @type {Failure} */ ({ code: "not_applied", isHeld: true, until: hold.expires_at });
    }
    throw /** @type {Failure} */ ({ code: "not_applied" });
  }

  /** Take the code out of the cart, if it is there, and give the points back. Throws a `Failure`. */
  async function giveBack(hold) {
    if (isInCart(hold)) await cart.removeCartDiscount().catch(() => {});
    await cart.removeCartProperties([PROPERTY]).catch(() => {});
    try {
      await api.release(customer, hold.hold_id);
    } catch (problem) {
      throw { ...problem, isHeld: problem.code !== "hold_ended" && problem.code !== "hold_captured", until: hold.expires_at };
    }
  }

  /** Whether a hold's code is in the cart. POS may describe a discount by its code or by its title, which names the hold. */
  function isInCart({ discount_code: code, hold_id: id }) {
    const { cartDiscounts, properties } = cart.current.value;
    const described = cartDiscounts.map((one) => one.discountDescription).filter(Boolean);
    if (described.length) return described.some((text) => text.includes(code) || text.includes(id));
    return cartDiscounts.length > 0 && properties[PROPERTY] === id;
  }

  const forget = () => storage.delete(request).catch(() => {});

  return { read, use, apply, giveBack, isInCart, lastKnown: () => known.of(customer) };
}
