// What the staff's screens need of Shopify, in one place; what Shopify POS has of its own is in pos-host.js.

import { staffApi } from "./api.js";
import { staffWords } from "./say.js";

/**
 * The words of the language that Shopify shows: the extension's own locale file names it.
 *
 * @param {{i18n: {translate: (key: string) => unknown}}} shopify
 * @param {string} [timeZone] the shop's, once it is known
 */
export const wordsOf = (shopify, timeZone) => staffWords(String(shopify.i18n.translate("language")), timeZone);

/** @param {{auth: {idToken: () => Promise<string | null>}}} shopify */
export const adminApi = (shopify) => staffApi(() => shopify.auth.idToken());

/** The digits of a global id such as gid://shopify/Customer/8840734670934. @param {string | undefined} gid */
export const digitsOf = (gid) => gid?.split("/").at(-1) ?? "";
