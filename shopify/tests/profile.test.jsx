// The block on the profile.

import { waitFor } from "@testing-library/preact";
import { expect, test } from "vitest";
import { byId, hosted, POINTS, press, shown } from "./given.js";

const { show } = hosted("customer-account.profile.block.render", "points-blocks");

test("the profile shows the points and leads to their page", async () => {
  const api = await show({ "GET /points": POINTS });
  expect((await shown("headline")).textContent).toBe("1,250 points");
  expect(byId("page").getAttribute("href")).toBe("extension://points-page");
  expect(api.to("GET /points/history"), "nobody sees it here").toEqual([]);
});

test("an outage is told and can be tried again", async () => {
  let fails = true;
  await show({ "GET /points": () => (fails ? { status: 503, code: "ledger_unavailable" } : POINTS) });
  await shown("outage");
  fails = false;
  await press("reload");
  await shown("headline");
});

for (const [what, address] of [["who is not logged in", undefined], ["a block without an address", "no address"]]) {
  test(`${what} sees no empty box`, async () => {
    await show({ "GET /points": { status: 401, code: "token_missing" } }, (shopify) => {
      if (address) shopify.settings.value = { api_url: address };
    });
    await waitFor(() => expect(document.body.querySelector("s-section")).toBeNull());
  });
}
