// Numbers, times and games as text.

const whole = new Intl.NumberFormat("en");
export const count = (number) => whole.format(Math.round(number ?? 0));
/** How many of something there are, in words: 1 day, 2 days. */
export const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;

/** A value with its sign; a value that rounds to zero has none. */
export function signed(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value).toFixed(2);
  return size === "0.00" ? size : `${value < 0 ? "−" : "+"}${size}`;
}

/** How many happen per second: one digit after the point, or two significant digits below 1. */
export function rate(number) {
  if (number >= 100) return count(number);
  return number > 0 && number < 1 ? `${+number.toPrecision(2)}` : (number ?? 0).toFixed(1);
}

export const threeDigits = (number) => number.toFixed(3);
export const scientific = (number) => (number ? number.toExponential(1).replace("e-", "e−") : "0");

/** How many digits after the point it takes to write the multiples of `step`. */
export function digitsFor(step) {
  const [mantissa, exponent] = Number(step.toPrecision(3)).toExponential().split("e");
  const { length } = mantissa.split(".")[1] ?? "";
  return Math.max(0, length - Number(exponent));
}

/** A short number for a chart's axis whose numbers are `step` apart; alone, it has one digit after the point. */
export function short(number, step = Infinity) {
  if (Math.abs(number) < 1e4) return whole.format(number);
  const [unit, sign] = Math.abs(number) >= 1e6 ? [1e6, "M"] : [1e3, "k"];
  const digits = step < unit ? Math.max(1, digitsFor(step / unit)) : 1;
  return `${+(number / unit).toFixed(digits)}${sign}`;
}

let ahead = 0; // seconds by which the server's clock is ahead of the browser's

/** Take over the time of the server, which all times come from, in Unix seconds. */
export function setTime(seconds) {
  ahead = seconds - Date.now() / 1000;
}

/** The time by the clock of the server, in Unix seconds. */
export const time = () => Date.now() / 1000 + ahead;

/** How long ago a Unix time was. */
export function ago(seconds) {
  if (!seconds) return "never";
  const passed = Math.max(0, time() - seconds);
  if (passed < 60) return `${Math.floor(passed)} s ago`;
  if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
  if (passed < 86400) return `${Math.floor(passed / 3600)} h ago`;
  return `${counted(Math.floor(passed / 86400), "day")} ago`;
}

/** A game's name, with its parameters. */
export function gameName(info) {
  const parameters = info.env_id.split(":").slice(1).join(":");
  return parameters ? `${info.display_name} (${parameters.replaceAll("=", " ").replaceAll(",", ", ")})` : info.display_name;
}

/** A run's name; the run in the data folder itself has none. */
export const runLabel = (run) => (run.name === "." ? `data folder${run.env_id ? ` (${run.env_id})` : ""}` : run.name);

/** A player's sign: the initial of its name, or its symbol if both have the same initial. */
export function signOf(info, player) {
  const initials = info.player_names.map((name) => name.charAt(0).toUpperCase());
  return (initials[0] === initials[1] ? info.player_symbols : initials)[player - 1];
}

/** Both players' points as words, after a separator; empty if the game counts none. */
export const scoreWords = (info, score) =>
  score ? ` · ${info.player_names[0]} ${score[0]}, ${info.player_names[1]} ${score[1]}` : "";

/** A list as people write it: a, b and c. */
export const listed = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
