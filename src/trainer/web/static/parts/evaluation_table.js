// Evaluations as a table, with their intervals.

import { el } from "../base/dom.js";
import { count, percent, short } from "../base/format.js";
import { winInterval } from "../base/intervals.js";

const KNOWN = new Set(["step", "opponent", "win_rate", "draw_rate", "loss_rate", "games_played", "timestamp"]);

const STEP = "elo_against"; // the step of the model that the Elo was measured against

const inWords = (key) => (key === STEP ? "Elo against step" : `${key[0].toUpperCase()}${key.slice(1).replaceAll("_", " ")}`);
const written = (key, number) => (key === STEP ? count(number) : short(+number.toFixed(3)));

/** Any other number that an evaluation holds, such as an Elo, gets a column of its own. */
export function evaluationTable(evaluations) {
  const numbers = (one) => Object.keys(one).filter((key) => !KNOWN.has(key) && typeof one[key] === "number");
  const extras = [...new Set(evaluations.flatMap(numbers))];
  const heads = ["Step", "Opponent", "Won", "95% interval", "Drawn", "Lost", "Games", ...extras.map(inWords)];
  const body = evaluations.map((one) => {
    const [low, high] = winInterval(one);
    const cells = [
      one.opponent,
      percent(one.win_rate, 1),
      `${percent(low, 1)} to ${percent(high, 1)}`,
      percent(one.draw_rate, 1),
      percent(one.loss_rate, 1),
      count(one.games_played),
      ...extras.map((key) => (typeof one[key] === "number" ? written(key, one[key]) : "–")),
    ];
    return el("tr", {}, el("th", { scope: "row" }, count(one.step)), ...cells.map((cell) => el("td", {}, cell)));
  });
  return el(
    "table",
    {},
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, ...body),
  );
}
