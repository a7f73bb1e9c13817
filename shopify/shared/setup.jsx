// What only a merchant sees, in the editor.

import { setupHint } from "./host.js";

/** @param {{shopify: any}} props */
export function Setup({ shopify }) {
  const hint = setupHint(shopify);
  return hint && <s-banner id="setup" tone="warning" heading={hint} />;
}
