// The players of a cluster as a table.

import { el } from "../base/dom.js";
import { ago, count, percent, rate } from "../base/format.js";

const HEADS = ["Player", "Machine", "Games/s", "Positions/s", "Model step", "Heard", "Waits for the hub"];

export function playerTable(players) {
  const body = players.map((one) => {
    const cells = [
      one.host,
      rate(one.episodes_per_second),
      rate(one.positions_per_second),
      one.model_step === null ? "none" : count(one.model_step),
      ago(one.timestamp),
      percent(one.back_pressure),
    ];
    return el("tr", {}, el("th", { scope: "row" }, one.name), ...cells.map((cell) => el("td", {}, cell)));
  });
  return el(
    "table",
    {},
    el("thead", {}, el("tr", {}, ...HEADS.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, ...body),
  );
}
