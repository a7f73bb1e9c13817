// The time that is left of a hold: seen every second, heard now and then.

const HEARD_AT_SECONDS = [300, 120, 60, 30];

/**
 * Count down to `deadline()` (milliseconds of Date.now) in `clock`; it may move meanwhile.
 *
 * @param {HTMLElement} clock shows minutes and seconds
 * @param {() => number} deadline
 * @param {(seconds: number) => void} say is called at few moments
 * @param {() => void} over is called once
 * @returns {() => void} stops it
 */
export function countDown(clock, deadline, say, over) {
  let before = Infinity;
  const timer = setInterval(tick, 250);
  tick();

  function tick() {
    const left = Math.max(0, Math.ceil((deadline() - Date.now()) / 1000));
    if (left === before) return;
    const heard = HEARD_AT_SECONDS.find((mark) => left <= mark && before > mark);
    if (heard && before !== Infinity) say(left);
    before = left;
    clock.textContent = clockTime(left);
    if (left > 0) return;
    clearInterval(timer);
    over();
  }

  return () => clearInterval(timer);
}

/** 9:59 as 09:59; from an hour on with the hours before. */
export function clockTime(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = two(Math.floor(seconds / 60) % 60);
  return `${hours ? `${hours}:` : ""}${minutes}:${two(seconds % 60)}`;
}
