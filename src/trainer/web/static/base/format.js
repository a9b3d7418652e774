// Numbers, times and games as text.

const whole = new Intl.NumberFormat("en");
export const count = (number) => whole.format(Math.round(number ?? 0));
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;

/** A value with its sign; a value that rounds to zero has none. */
export function signed(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value).toFixed(2);
  return size === "0.00" ? size : `${value < 0 ? "−" : "+"}${size}`;
}

export const rate = (number) => (number >= 100 ? count(number) : (number ?? 0).toFixed(1));
export const threeDigits = (number) => number.toFixed(3);
export const scientific = (number) => (number ? number.toExponential(1).replace("e-", "e−") : "0");

/** A short number for a chart's axis. */
export function short(number) {
  if (Math.abs(number) >= 1e6) return `${+(number / 1e6).toFixed(1)}M`;
  if (Math.abs(number) >= 1e4) return `${+(number / 1e3).toFixed(1)}k`;
  return whole.format(number);
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
  return `${Math.floor(passed / 86400)} days ago`;
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
