// The theme's section: what the block says of the shop reaches my page.

import { expect, test, vi } from "vitest";

const mountPoints = vi.hoisted(() => vi.fn());
vi.mock("../../web/points.js", () => ({ mountPoints }));

test("a block's settings are my page's, and each block is mounted once", async () => {
  document.body.innerHTML = '<div data-pointbook="/apps/points" data-locale="ja" data-contact="/pages/contact"></div>';
  await import("../shared/section.js");
  document.dispatchEvent(new Event("shopify:section:load"));
  expect(mountPoints.mock.calls).toEqual([
    [
      document.body.firstChild,
      { apiUrl: "/apps/points", locale: "ja", storefront: location.origin, contactUrl: "/pages/contact", postOnly: true },
    ],
  ]);
});
