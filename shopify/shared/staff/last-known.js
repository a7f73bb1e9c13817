// The last balances that this device has seen, for a time without network: numbers of customers and points, no names.

const NAME = "pointbook.balances";
const CUSTOMERS_MAX = 50;

/** @param {{get: (name: string) => Promise<any>, set: (name: string, value: any) => Promise<unknown>}} storage */
export function lastKnown(storage) {
  const all = async () => (await storage.get(NAME).catch(() => null)) ?? [];
  return {
    /** Keep what a customer has now; the balances seen longest ago are dropped. */
    async keep(customer, points, at = new Date().toISOString()) {
      const others = (await all()).filter((one) => one.customer !== customer);
      const kept = [{ customer, points, at }, ...others].slice(0, CUSTOMERS_MAX);
      await storage.set(NAME, kept).catch(() => {});
    },
    /** The points that a customer had when last seen, and when; undefined for one not seen on this device. */
    of: async (customer) => (await all()).find((one) => one.customer === customer),
  };
}
