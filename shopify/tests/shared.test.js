// The parts that need no host.

import { expect, test } from "vitest";
import { apiUrl } from "../shared/address.js";
import { storedItems } from "../shared/storage.js";
import { pointsFor } from "../shared/worth.js";

const DEPLOYED = "https://api.example.com";

for (const [setting, expected] of [
  [undefined, "https://api.example.com/v1"],
  ["", "https://api.example.com/v1"],
  ["  ", "https://api.example.com/v1"],
  ["https://points.example.com", "https://points.example.com/v1"],
  ["https://points.example.com/", "https://points.example.com/v1"],
  [" https://points.example.com/v1/ ", "https://points.example.com/v1"],
  ["https://example.com/api", "https://example.com/api/v1"],
  ["http://127.0.0.1:8080/api", "http://127.0.0.1:8080/api/v1"],
  ["http://localhost:8080/api", "http://localhost:8080/api/v1"],
  ["http://points.example.com", null],
  ["http://127.0.0.1.example.com", null],
  ["https://user:secret@points.example.com", null],
  ["https://points.example.com/?x=1", null],
  ["javascript:alert(1)", null],
  ["points.example.com", null],
  ["https://fill-in-api.example.com", null],
  [42, "https://api.example.com/v1"],
]) {
  test(`the address ${JSON.stringify(setting)} is ${expected}`, () => {
    expect(apiUrl(setting, DEPLOYED)).toBe(expected);
  });
}

test("as long as the app's address is not filled in there is none", () => {
  expect(apiUrl("")).toBeNull();
});

for (const [amount, point, currency, most, expected] of [
  [800, "1", "JPY", 1250, 800],
  ["800.0", "1", "JPY", 500, 500],
  [0, "1", "JPY", 500, 0],
  [801, "10", "JPY", 500, 81],
  [10, "0.1", "USD", 500, 100],
  [10.05, "0.1", "USD", 500, 101],
  [10, "0", "USD", 500, 500],
]) {
  test(`an order of ${amount} ${currency} takes ${expected} points worth ${point} each`, () => {
    const cost = { amount, currencyCode: currency };
    expect(pointsFor(cost, { point_amount: point, currency }, most)).toBe(expected);
  });
}

test("an API that does not say what a point is worth offers all points", () => {
  expect(pointsFor({ amount: 8, currencyCode: "JPY" }, undefined, 500)).toBe(500);
  expect(pointsFor(undefined, { point_amount: "1", currency: "JPY" }, 500)).toBe(500);
});

test("what is stored is there after a reload", async () => {
  let stored = null;
  const storage = { read: async () => stored, write: async (_name, value) => void (stored = value) };
  const items = await storedItems(storage);
  items.setItem("a", "1");
  items.setItem("b", "2");
  items.removeItem("a");
  const again = await storedItems(storage);
  expect([again.getItem("a"), again.getItem("b")]).toEqual([null, "2"]);
});
