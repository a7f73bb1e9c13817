// What the extensions need of Shopify's host, in one place.

import { pointsApi } from "../../web/points-api.js";
import { holdRequests } from "../../web/points-hold-request.js";
import { apiUrl } from "./address.js";
import { storedItems } from "./storage.js";
import { pointsModel } from "./model.js";
import { sampleApi } from "./sample.js";

/**
 * The language of the extension's texts, as Shopify chose it from its locales.
 *
 * @param {any} shopify
 */
export function language(shopify) {
  return shopify.localization.extensionLanguage.value.isoCode.slice(0, 2).toLowerCase();
}

/** What to tell the merchant who looks at it in the editor; null where all is set. */
export function setupHint(shopify) {
  return shopify.extension.editor && addressOf(shopify) === null ? shopify.i18n.translate("setup") : null;
}

const addressOf = (shopify) => apiUrl(shopify.settings.value?.api_url);

/**
 * The API; in the editor a sample, so that nobody's points are shown or used there. Null where no address is set.
 *
 * @param {any} shopify
 */
export function hostApi(shopify) {
  if (shopify.extension.editor) return sampleApi();
  const url = addressOf(shopify);
  if (url === null) {
    console.error("Pointbook: set the address of the points API, see shopify/README.md");
    return null;
  }
  return pointsApi(url, () => shopify.sessionToken.get(), undefined, { postOnly: true });
}

/**
 * The customer's points. What is under way survives a reload, in the storage of the extension.
 *
 * @param {any} shopify
 * @param {{withHistory?: boolean}} [options]
 */
export async function hostModel(shopify, { withHistory = false } = {}) {
  const api = hostApi(shopify);
  if (api === null) return null;
  const items = await storedItems(shopify.storage);
  return pointsModel({ api, requests: holdRequests(() => items), locale: language(shopify), withHistory });
}
