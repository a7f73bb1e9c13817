// What a merchant sees in the editor: points of nobody, and nothing is written.

const NOT_HERE = { status: 409, code: "holds_not_offered" };

const POINTS = {
  customer_id: "1",
  figures: { approved: 1250, pending: 60, total: 1310, lifetime: 3000, spent: 1690, hold: 0 },
  expiring: [{ points: 300, expires_on: "2030-12-31" }],
  hold: null,
  holds_offered: true,
  worth: null,
  earning: null,
  points_master: "ledger",
  time_zone: "UTC",
  hold_seconds: 600,
  expiry: null,
  till: { status: "disabled", balance: null, stale: false },
  display: { balance: "1,250", expiry: null, rank: null, message: null, action: null, note: null },
};

const row = (kind, points) => ({ kind, points, change: points, order_id: null, comes_on: null });

const ENTRIES = [
  { entry_id: "1-2", at: "2030-01-02T03:00:00.000+00:00", reason: null, row: row("earned", 60) },
  { entry_id: "1-1", at: "2030-01-01T03:00:00.000+00:00", reason: null, row: row("welcome", 100) },
];

/** The same calls as `pointsApi`. */
export function sampleApi() {
  return {
    points: async () => POINTS,
    history: async () => ({ entries: ENTRIES, next_cursor: null }),
    order: async (orderId) => ({ order_id: orderId, approved: 0, pending: 60, comes_on: null, used: 500, returned: 0 }),
    hold: async () => Promise.reject(NOT_HERE),
    release: async () => Promise.reject(NOT_HERE),
  };
}
