// Where the points API is.

/** The address for every place that has none of its own in its settings. */
export const API_URL = "https://fill-in-api.example.com"; // fill in: the stack's output ApiUrl

const PLACEHOLDER = /\/\/fill-in-/;
const OWN_MACHINE = /^(localhost|127\.0\.0\.1)$/;

/**
 * The address of the API's version 1, without a slash at its end; null if there is none that a session token may be sent
 * to: it has to be https, but for the machine of a developer.
 *
 * @param {unknown} setting what the merchant entered, if anything
 * @param {string} [otherwise]
 * @returns {string | null}
 */
export function apiUrl(setting, otherwise = API_URL) {
  const entered = typeof setting === "string" ? setting.trim() : "";
  const address = entered || otherwise;
  if (PLACEHOLDER.test(address)) return null;
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  const isSafe = url.protocol === "https:" || (url.protocol === "http:" && OWN_MACHINE.test(url.hostname));
  if (!isSafe || url.username || url.password || url.search || url.hash) return null;
  const path = url.pathname.replace(/\/+$/, "");
  return url.origin + (path.endsWith("/v1") ? path : `${path}/v1`);
}
