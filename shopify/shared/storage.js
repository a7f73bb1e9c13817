// What has to survive a reload, in the storage of the extension: it answers later, web/'s modules ask at once.

const NAME = "pointbook";

/**
 * A store for `holdRequests` that reads once and writes behind. Without a working storage it lives as long as the page.
 *
 * @param {{read: (name: string) => Promise<unknown>, write: (name: string, value: any) => Promise<unknown>}} storage
 * @returns {Promise<{getItem: (name: string) => string | null, setItem: (name: string, value: string) => void,
 *   removeItem: (name: string) => void}>}
 */
export async function storedItems(storage) {
  const read = await storage.read(NAME).catch(() => null);
  const items = new Map(Object.entries(typeof read === "object" && read ? read : {}));
  const write = () => {
    storage.write(NAME, Object.fromEntries(items)).catch(() => {});
  };
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem(name, value) {
      items.set(name, value);
      write();
    },
    removeItem(name) {
      if (items.delete(name)) write();
    },
  };
}
