// The theme's section: my page in each of its blocks, through the shop's app proxy.

import { mountPoints } from "../../web/points.js";

function mountAll() {
  for (const root of document.querySelectorAll("[data-pointbook]")) {
    const { pointbook: apiUrl, locale, contact: contactUrl } = root.dataset;
    root.removeAttribute("data-pointbook");
    // Without a token: the proxy says who is logged in, and passes on GET and POST.
    mountPoints(root, { apiUrl, locale, storefront: location.origin, contactUrl, postOnly: true });
  }
}

mountAll();
// The theme editor puts blocks into the page as they are added and changed.
document.addEventListener("shopify:section:load", mountAll);
