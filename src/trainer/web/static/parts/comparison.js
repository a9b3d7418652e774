// Another run of the same game, whose curves the charts show beside those of the run that is watched.

import { api } from "../base/api.js";
import { el } from "../base/dom.js";
import { tabMemory } from "../base/memory.js";

const PUBLISHED = "the published run";

/** By label, the address of the statistics of each run that can be compared with `run`. */
function othersOf(listed, run, game) {
  const runs = listed.runs.filter((one) => one.env_id === game && one.name !== run);
  const others = new Map(runs.map((one) => [one.name, ["stats", { run: one.name }]]));
  if (listed.published.includes(game)) others.set(PUBLISHED, ["published", { game }]);
  return others;
}

export class Comparison {
  /** `onchange()` is called when other curves are to be drawn. */
  constructor(onchange) {
    this.onchange = onchange;
    this.stats = null; // of the other run, as the server states them; null: none is chosen
    this.others = new Map(); // by label: the address of a run's statistics
    this.choice = el("select", { id: "other", onchange: () => this.choose(this.choice.value) });
    this.root = el("div", { class: "inline", hidden: true }, el("label", { for: "other" }, "Compare with"), this.choice);
  }

  /** Offer the other runs of a game, before that is drawn. `listed`: what the server says of all runs. */
  offer(listed, run, game) {
    this.others = othersOf(listed, run, game);
    this.root.hidden = !this.others.size;
    this.choice.replaceChildren(
      el("option", { value: "" }, "nothing"),
      ...[...this.others.keys()].map((label) => el("option", { value: label }, label)),
    );
    this.stats = null;
    this.label = "";
    const remembered = tabMemory.get("other");
    if (this.others.has(remembered)) this.choose(remembered);
  }

  /** Offer those that there are now, and take over what the chosen one has learned. */
  renew(listed, run, game) {
    const labels = [...othersOf(listed, run, game).keys()];
    if (String(labels) !== String([...this.others.keys()])) {
      this.offer(listed, run, game);
      if (!this.label) this.onchange(); // the compared run is gone
    } else if (this.label && this.label !== PUBLISHED) this.choose(this.label);
  }

  async choose(label) {
    const before = label === this.label ? this.stats : null; // it stays if the server doesn't answer
    this.choice.value = this.label = label;
    tabMemory.set("other", label);
    const stats = label ? await api.get(...this.others.get(label)).catch(() => before) : null;
    if (this.label !== label) return; // another one was chosen meanwhile
    this.stats = stats;
    this.onchange();
  }

  /** The other run's curve for a chart: `number(point)` of those of `points` that have one; null if there is none. */
  curve(points, number) {
    if (!this.stats) return null;
    const shown = points(this.stats).filter((point) => typeof number(point) === "number");
    return { label: this.label, steps: shown.map((point) => point.step), values: shown.map(number) };
  }
}
