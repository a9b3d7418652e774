// The elements of Play and where they stand.

import { el, switchOff } from "../base/dom.js";
import { AnalysisTable } from "./analysis_table.js";
import { MoveList } from "./move_list.js";
import { ValueBar } from "./value_bar.js";

export class PlayFrame {
  /** `analysis`, `keys`: whether the analysis and the keys of letters and digits are on. The functions are called by the
   * buttons and the switch, `show(ply)` by the list of moves. */
  constructor(holder, { analysis, keys }, { undo, hint, analyse, switchKeys, show }) {
    this.board = el("div", { class: "boardholder" });
    this.status = el("p", { class: "status", role: "status", "aria-live": "polite" }, "Preparing the game…");
    this.note = el("p", { class: "note", role: "status" });
    this.spoken = el("p", { class: "hidden", role: "status" }); // the model's move, for people who don't see the board
    const valueHolder = el("div", { class: "valueholder" });
    this.value = new ValueBar(valueHolder);
    this.undo = el("button", { type: "button", onclick: undo }, "Undo", el("kbd", {}, "U"));
    this.hint = el("button", { type: "button", onclick: hint }, "Hint", el("kbd", {}, "H"));
    this.analyse = el(
      "button",
      { type: "button", "aria-pressed": String(analysis), onclick: analyse },
      "Model analysis",
      el("kbd", {}, "M"),
    );
    for (const button of [this.undo, this.hint, this.analyse]) switchOff(button, true); // until there is a game
    this.keys = el("input", { type: "checkbox", onchange: () => switchKeys(this.keys.checked) });
    this.keys.checked = keys;
    this.analysis = new AnalysisTable();
    this.moves = new MoveList(show);
    this.form = el("div");
    this.root = el(
      "div",
      { class: "table" },
      el(
        "section",
        { class: "stage", "aria-label": "Board" },
        el("div", { class: "headline" }, this.status, this.note, this.spoken),
        this.board,
        valueHolder,
        el("div", { class: "actions" }, this.undo, this.hint, this.analyse),
        el("label", { class: "keys" }, this.keys, "Letter and digit keys"),
      ),
      el(
        "aside",
        { class: "side", "aria-label": "Game" },
        el("section", { class: "card" }, el("h2", {}, "New game"), this.form),
        el("section", { class: "card", "aria-label": "Moves" }, el("h2", {}, "Moves"), this.moves.root),
        this.analysis.root,
      ),
    );
    holder.append(el("h1", { class: "hidden" }, "Play the newest model"), this.root);
  }
}
