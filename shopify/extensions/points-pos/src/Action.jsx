// The window of the block on a customer's page: this customer's points, in this sale.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { wordsOf } from "../../../shared/staff/host.js";
import { posApi } from "../../../shared/staff/pos-host.js";
import { Sale } from "../../../shared/staff/sale.jsx";

export default async function extension() {
  render(<Action />, document.body);
}

function Action() {
  const words = wordsOf(shopify);
  return (
    <s-page heading={words.text.heading}>
      <s-scroll-box>
        <Sale api={posApi(shopify)} words={words} customer={String(shopify.customer.id)} shopify={shopify} />
      </s-scroll-box>
    </s-page>
  );
}
