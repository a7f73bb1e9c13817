// The window of the tile: the points of the cart's customer, in this sale.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { wordsOf } from "../../../shared/staff/host.js";
import { cartCustomer, posApi } from "../../../shared/staff/pos-host.js";
import { Sale } from "../../../shared/staff/sale.jsx";

export default async function extension() {
  render(<Modal />, document.body);
}

function Modal() {
  const words = wordsOf(shopify);
  return (
    <s-page heading={words.text.heading}>
      <s-scroll-box>
        <Sale api={posApi(shopify)} words={words} customer={cartCustomer(shopify)} shopify={shopify} />
      </s-scroll-box>
    </s-page>
  );
}
