// The analysis of a position as a table, one row per move.

import { el } from "../base/dom.js";
import { travels } from "../board/cells.js";
import { isDense } from "../board/marks.js";
import { counted, percent, signed } from "../base/format.js";

const MAX_ROWS = 8;
const RESULTS = { win: "wins", draw: "draws", loss: "loses" };

export class AnalysisTable {
  constructor() {
    this.body = el("tbody");
    this.caption = el("p", { class: "quiet" });
    const heads = ["Move", "Share", "Prior", "Value"].map((text) => el("th", { scope: "col" }, text));
    this.root = el(
      "section",
      { class: "card analysis", hidden: true, "aria-label": "Model analysis" },
      el("h2", {}, "Model analysis"),
      el("table", {}, el("thead", {}, el("tr", {}, ...heads)), this.body),
      this.caption,
    );
  }

  /** `analysis`: the answer of /game/analysis; undefined hides the table. */
  draw(info, analysis) {
    this.root.hidden = !analysis;
    if (!analysis) return;
    const ranked = [...analysis.moves].sort((a, b) => b.share - a.share || b.prior - a.prior);
    this.body.replaceChildren(
      ...ranked.slice(0, MAX_ROWS).map((move) => {
        const bar = el("span", { class: "sharebar" });
        bar.style.width = `${Math.round(100 * move.share)}%`;
        return el(
          "tr",
          { class: move.action === analysis.best ? "best" : null },
          el("th", { scope: "row" }, move.name),
          el("td", {}, bar, el("span", {}, percent(move.share))),
          el("td", {}, percent(move.prior)),
          el("td", {}, move.proven ? RESULTS[move.proven] : signed(move.value)),
        );
      }),
    );
    const arrows = travels(info) ? "arrows for the best moves" : null;
    const mover = info.player_names[analysis.mover - 1];
    const [source, shown] = analysis.simulations
      ? [counted(analysis.simulations, "simulation"), arrows ?? `each move’s share of them${isDense(info) ? "" : ", with the prior below"}`]
      : ["Raw policy", arrows ?? "the prior"];
    const rest = ranked.length - MAX_ROWS;
    const more = rest > 0 ? ` ${rest} more move${rest > 1 ? "s are" : " is"} not listed.` : "";
    this.caption.textContent = `${source}, from ${mover}’s point of view. The board shows ${shown}.${more}`;
  }
}
