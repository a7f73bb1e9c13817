import { useEffect, useState } from "preact/hooks";

/**
 * The state of a model, as it changes.
 *
 * @param {import("./model.js").PointsModel} model
 */
export function useModel(model) {
  const [state, setState] = useState(model.state);
  useEffect(() => {
    setState(model.state);
    return model.subscribe(setState);
  }, [model]);
  return state;
}

/**
 * The seconds left until `endsAt`, counted only while `isCounting`: a host may go on running what nobody sees.
 *
 * @param {number} endsAt milliseconds of the device's clock
 * @param {boolean} isCounting
 * @param {() => void} over is called once when it is over
 */
export function useSecondsLeft(endsAt, isCounting, over) {
  const left = () => Math.max(0, Math.ceil((endsAt - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    if (!isCounting) return undefined;
    setSeconds(left());
    const timer = setInterval(() => {
      setSeconds(left());
      if (left() > 0) return;
      clearInterval(timer);
      over();
    }, 1000);
    return () => clearInterval(timer);
  }, [endsAt, isCounting]);
  return seconds;
}
