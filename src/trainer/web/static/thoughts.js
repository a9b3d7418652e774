// What the model thinks of each move, as a table.

import { el } from "./dom.js";
import { moveName, percent, signed } from "./words.js";

const MOST_ROWS = 8;

export class ThoughtTable {
  constructor() {
    this.body = el("tbody");
    this.caption = el("p", { class: "quiet" });
    const heads = ["Move", "Share", "Prior", "Value"].map((text) => el("th", { scope: "col" }, text));
    this.root = el(
      "section",
      { class: "card thoughts", hidden: true, "aria-label": "Model’s mind" },
      el("h2", {}, "Model’s mind"),
      el("table", {}, el("thead", {}, el("tr", {}, ...heads)), this.body),
      this.caption,
    );
  }

  /** `mind` as the server tells it; undefined hides the table. */
  draw(info, mind) {
    this.root.hidden = !mind;
    if (!mind) return;
    const ranked = [...mind.thoughts].sort((a, b) => b.share - a.share || b.prior - a.prior);
    this.body.replaceChildren(
      ...ranked.slice(0, MOST_ROWS).map((thought) => {
        const bar = el("span", { class: "sharebar" });
        bar.style.width = `${Math.round(100 * thought.share)}%`;
        return el(
          "tr",
          { class: thought.action === mind.best ? "best" : null },
          el("th", { scope: "row" }, moveName(info, thought.action)),
          el("td", {}, bar, el("span", {}, percent(thought.share))),
          el("td", {}, percent(thought.prior)),
          el("td", {}, thought.proven ? `${{ win: "wins", draw: "draws", loss: "loses" }[thought.proven]}` : signed(thought.value)),
        );
      }),
    );
    const rest = ranked.length - MOST_ROWS;
    const names = info.player_names;
    const [source, shown] = mind.simulations
      ? [`${mind.simulations} simulations`, "the share of them that went to a move, below it the prior"]
      : ["Raw policy", "the prior"];
    this.caption.textContent =
      `${source}, seen by ${names[mind.mover - 1]}. On the board: ${shown}.` +
      (rest > 0 ? ` ${rest} further move${rest > 1 ? "s" : ""} not listed.` : "");
  }
}
