// The tile on the home screen: opens the window for the cart's customer.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { wordsOf } from "../../../shared/staff/host.js";
import { cartCustomer } from "../../../shared/staff/pos-host.js";
import { posTexts } from "../../../shared/staff/pos-texts.js";

export default async function extension() {
  render(<Tile />, document.body);
}

function Tile() {
  const { locale } = wordsOf(shopify);
  const say = posTexts[locale] ?? posTexts.en;
  const isOnline = shopify.connectivity.current.value.internetConnected === "Connected";
  const subheading = !isOnline ? say.offline : cartCustomer(shopify) ? undefined : say.noCustomer;
  return <s-tile heading={say.tile} subheading={subheading} onClick={() => shopify.action.presentModal()} />;
}
