// The time that is left of a hold: seen every second, heard now and then.

const HEARD_AT_SECONDS = [300, 120, 60, 30];

/**
 * Count down to `deadline()` (milliseconds of Date.now); it may move meanwhile.
 *
 * @param {(seconds: number, endsAt: number) => void} write shows them, and the deadline
 * @param {() => number} deadline
 * @param {(seconds: number) => void} say is called at few moments
 * @param {() => void} over is called once
 * @returns {() => void} stops it
 */
export function countDown(write, deadline, say, over) {
  let before = Infinity;
  const timer = setInterval(tick, 250);
  tick();

  function tick() {
    const endsAt = deadline();
    const left = Math.max(0, Math.ceil((endsAt - Date.now()) / 1000));
    if (left === before) return;
    const heard = HEARD_AT_SECONDS.find((mark) => left <= mark && before > mark);
    if (heard && before !== Infinity) say(left);
    before = left;
    write(left, endsAt);
    if (left > 0) return;
    clearInterval(timer);
    over();
  }

  return () => clearInterval(timer);
}
