// Another run of the same game, whose curves the charts show beside those of the run that is watched.

import { api, ApiError } from "../base/api.js";
import { el, write } from "../base/dom.js";
import { runLabel } from "../base/format.js";
import { tabMemory } from "../base/memory.js";

const PUBLISHED = "/"; // no run has that name

/** By name, the label of each run that can be compared with `run`, and the address of its statistics. */
function othersOf(listed, run, game) {
  const runs = listed.runs.filter((one) => one.env_id === game && one.name !== run);
  const others = new Map(runs.map((one) => [one.name, { label: runLabel(one), address: ["stats", { run: one.name }] }]));
  if (listed.published.includes(game)) others.set(PUBLISHED, { label: "the published run", address: ["published", { game }] });
  return others;
}

export class Comparison {
  /** `onchange()` is called when other curves are to be drawn. */
  constructor(onchange) {
    this.onchange = onchange;
    this.stats = null; // of the other run, as the server states them; null: none is chosen
    this.others = new Map(); // see `othersOf`
    this.name = ""; // of the other run
    this.choice = el("select", { id: "other", onchange: () => this.choose(this.choice.value) });
    this.note = el("p", { class: "quiet", role: "status" }); // why there are no curves, or no newer ones
    const label = el("label", { for: "other" }, "Compare with");
    this.root = el("div", { class: "inline", hidden: true }, label, this.choice, this.note);
  }

  /** Offer the other runs of a game, before that is drawn. `listed`: what the server says of all runs. */
  offer(listed, run, game) {
    this.others = othersOf(listed, run, game);
    this.root.hidden = !this.others.size;
    this.choice.replaceChildren(
      el("option", { value: "" }, "nothing"),
      ...[...this.others].map(([name, { label }]) => el("option", { value: name }, label)),
    );
    this.stats = null;
    this.name = "";
    write(this.note, "");
    const remembered = tabMemory.get("other");
    if (this.others.has(remembered)) this.choose(remembered);
  }

  /** Offer those that there are now, and take over what the chosen one has learned. */
  renew(listed, run, game) {
    const names = [...othersOf(listed, run, game).keys()];
    if (String(names) !== String([...this.others.keys()])) {
      this.offer(listed, run, game);
      if (!this.name) this.onchange(); // the compared run is gone
    } else if (this.name && this.name !== PUBLISHED) this.choose(this.name);
  }

  async choose(name) {
    const before = name === this.name ? this.stats : null; // it stays if the server doesn't answer
    this.choice.value = this.name = name;
    tabMemory.set("other", name);
    const { stats, sentence } = name ? await this.ask(name, before) : { stats: null, sentence: "" };
    if (this.name !== name) return; // another one was chosen meanwhile
    this.stats = stats;
    write(this.note, sentence);
    this.onchange();
  }

  /** The statistics of a run, and what the server says of them; those from `before` if it refuses or doesn't answer. */
  async ask(name, before) {
    try {
      const stats = await api.get(...this.others.get(name).address);
      return { stats, sentence: stats.message ?? "" };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { stats: before, sentence: error.status ? error.message : "" }; // the page says itself that there is an outage
    }
  }

  /** The other run's curve for a chart: `number(point)` of those of `points` that have one; null if there is none. */
  curve(points, number) {
    if (!this.stats) return null;
    const shown = points(this.stats).filter((point) => typeof number(point) === "number");
    return { label: this.others.get(this.name).label, steps: shown.map((point) => point.step), values: shown.map(number) };
  }
}
