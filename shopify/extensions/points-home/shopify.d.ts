import '@shopify/ui-extensions';

//@ts-ignore
declare module './src/Home.jsx' {
  const shopify: import('@shopify/ui-extensions/admin.app.home.render').Api;
  const globalThis: { shopify: typeof shopify };
}
