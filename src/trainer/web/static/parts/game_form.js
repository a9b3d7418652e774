// The form of a new game: which game, who starts, and how long the model searches.

import { choice, el } from "../base/dom.js";
import { counted, gameName } from "../base/format.js";

const STRENGTHS = [0, 1, 10, 25, 50, 100, 200, 400, 800]; // simulations

export class GameForm {
  /**
   * `infos`: the games to choose from. `chosen`: {game, first, simulations}. `onwish(changes)` is called when the game or who
   * starts changes, `onstrength(simulations)` when the slider moves, and `onstart()` when New game is pressed.
   */
  constructor(infos, chosen, { onwish, onstrength, onstart }) {
    const games = infos.map((info) => [info.env_id, gameName(info)]);
    const starters = [["player", "You"], ["bot", "Model"]];
    this.label = el("output", { class: "strength" });
    this.slider = el("input", {
      type: "range",
      min: 0,
      max: STRENGTHS.length - 1,
      id: "strength",
      oninput: () => this.describe(),
      onchange: () => onstrength(STRENGTHS[this.slider.value]),
    });
    this.setStrength(chosen.simulations);
    this.root = el(
      "div",
      {},
      choice("Game", "game", games, chosen.game, (game) => onwish({ game })),
      choice("Who starts", "first", starters, chosen.first, (first) => onwish({ first })),
      el("div", { class: "field" }, el("label", { for: "strength" }, "Model’s search"), this.label, this.slider),
      el("button", { type: "button", class: "primary wide", onclick: onstart }, "New game", el("kbd", {}, "N")),
    );
  }

  /** Show these settings; `onwish` and `onstrength` are not called. */
  show(settings) {
    this.setStrength(settings.simulations);
    for (const input of this.root.querySelectorAll("input[type=radio]")) input.checked = settings[input.name] === input.value;
  }

  setStrength(simulations) {
    this.slider.value = nearest(simulations);
    this.describe();
  }

  describe() {
    const simulations = STRENGTHS[this.slider.value];
    this.label.textContent = simulations === 0 ? "raw policy" : counted(simulations, "simulation");
    this.slider.setAttribute("aria-valuetext", this.label.textContent);
  }
}

/** The position on the slider that is nearest to a number of simulations. */
const nearest = (simulations) =>
  STRENGTHS.reduce((best, steps, at) => (Math.abs(steps - simulations) < Math.abs(STRENGTHS[best] - simulations) ? at : best), 0);
