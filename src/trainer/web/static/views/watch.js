// Watch: the statistics of a run, live.

import { api, ApiError } from "../base/api.js";
import { el, write } from "../base/dom.js";
import { ago, count, counted, digitsFor, percent, rate, runLabel, scientific, setTime, threeDigits, time } from "../base/format.js";
import { extended, thinned } from "../base/history.js";
import { winInterval } from "../base/intervals.js";
import { tabMemory } from "../base/memory.js";
import { Stream } from "../base/stream.js";
import { Chart } from "../parts/chart.js";
import { Comparison } from "../parts/comparison.js";
import { evaluationTable } from "../parts/evaluation_table.js";
import { playerTable } from "../parts/player_table.js";
import { Tile } from "../parts/tile.js";

const FRESH_SECONDS = 20; // older statistics mean that nothing is running
const REFUSED_MS = 10000; // until a stream is asked for again that the server refused
const LOOK_MS = 5000; // between two looks for new runs and at the compared run

// Numbers of a chart's axis that are `step` apart.
const plain = (number, step) => `${+number.toFixed(digitsFor(step))}`;
const inPercent = (number, step) => percent(number, digitsFor(100 * step));

export class WatchView {
  constructor(holder) {
    this.run = null;
    this.history = [];
    this.evaluated = [];
    this.build(holder);
    this.clock = setInterval(() => this.tick(), 1000);
    this.looks = setInterval(() => this.look(), LOOK_MS);
    this.onvisible = () => this.attend();
    document.addEventListener("visibilitychange", this.onvisible);
    this.start();
  }

  close() {
    this.closed = true;
    clearInterval(this.clock);
    clearInterval(this.looks);
    document.removeEventListener("visibilitychange", this.onvisible);
    this.unfollow();
    this.charts.forEach((chart) => chart.close());
  }

  themed() {
    this.charts.forEach((chart) => chart.themed());
  }

  recovered() {
    this.start();
  }

  build(holder) {
    this.runs = el("select", { id: "run", onchange: () => this.follow(this.runs.value) });
    this.comparison = new Comparison(() => this.statistics && this.draw());
    this.status = el("p", { class: "status", role: "status" }, "Looking for runs…");
    this.note = el("p", { class: "note" });
    this.tiles = Object.fromEntries(
      ["step", "games", "speed", "positions", "replay", "model"].map((name) => [name, new Tile()]),
    );
    const loss = (label, color, dash) => ({ label, color, dash, text: threeDigits });
    this.losses = new Chart("Loss", [
      loss("total", "--chart-1"),
      loss("policy", "--chart-2", [8, 4]),
      loss("value", "--chart-3", [2, 3]),
      loss("entropy of the policy targets", "--chart-4", [12, 3, 2, 3]),
    ], { format: plain });
    this.rates = new Chart("Learning rate", [{ label: "learning rate", color: "--chart-1", text: scientific }], {
      format: scientific,
    });
    const share = (label, color, dash) => ({ label, color, dash, text: (value) => percent(value, 1) });
    const ends = ["low", "high"].map((label) => ({ label, color: "--chart-1", hidden: true }));
    this.evaluations = new Chart(
      "Evaluation",
      [
        { ...share("won", "--chart-1"), band: [4, 3] },
        share("drawn", "--chart-2", [8, 4]),
        share("lost", "--chart-3", [2, 3]),
        ...ends,
      ],
      { range: [0, 1], format: inPercent },
    );
    this.quality = new Chart(
      "Wrong moves",
      [
        { ...share("give away a result", "--chart-1"), band: [3, 2] },
        share("not the shortest way", "--chart-2", [8, 4]),
        ...ends,
      ],
      { format: inPercent },
    );
    this.elo = new Chart(
      "Elo",
      [
        { label: "Elo", color: "--chart-1", text: (value) => `${Math.round(value)}`, band: [2, 1] },
        ...ends,
      ],
      { format: plain },
    );
    const against = "The raw policy against earlier models of the run; the band is the 95% interval of one match.";
    this.elo.root.append(el("p", { class: "quiet" }, against));
    this.qualityNote = el("p", { class: "quiet" });
    this.quality.root.append(this.qualityNote);
    this.charts = [this.losses, this.rates, this.evaluations, this.quality, this.elo];
    this.opponents = el("select", { id: "opponent", onchange: () => this.drawEvaluations() });
    this.opponentField = el("div", { class: "inline", hidden: true }, el("label", { for: "opponent" }, "Opponent"), this.opponents);
    this.evaluations.root.querySelector("figcaption").append(this.opponentField);
    this.evaluationNote = el("p", { class: "quiet" });
    this.evaluations.root.append(this.evaluationNote);
    this.table = el("div", { class: "scroll", role: "region", "aria-label": "Evaluations", tabindex: 0 });
    this.results = el("section", { class: "card all" }, el("h2", {}, "Newest evaluations"), this.table);
    this.machines = el("div", { class: "scroll", role: "region", "aria-label": "Players", tabindex: 0 });
    this.cluster = el("section", { class: "card all", hidden: true }, el("h2", {}, "Players of the cluster"), this.machines);
    holder.append(
      el("h1", { class: "hidden" }, "Watch a run learn"),
      el(
        "div",
        { class: "topline" },
        el("div", {}, this.status, this.note),
        el("div", { class: "inline" }, el("label", { for: "run" }, "Run"), this.runs, this.comparison.root),
      ),
      el("dl", { class: "tiles" }, ...Object.values(this.tiles).map((tile) => tile.root)),
      el(
        "div",
        { class: "charts" },
        ...[this.losses, this.evaluations, this.quality, this.elo, this.rates].map((chart) => chart.root),
        this.cluster,
        this.results,
      ),
    );
  }

  async start() {
    try {
      await this.listRuns();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status) this.note.textContent = error.message; // else an outage; `recovered` follows
      return;
    }
    if (!this.closed) this.follow(this.run);
  }

  async listRuns() {
    this.listed = await api.get("runs");
    const { runs, default: newest } = this.listed;
    const remembered = this.run ?? tabMemory.get("run");
    this.run = runs.some((run) => run.name === remembered) ? remembered : newest;
    this.offered = "";
    this.offerRuns();
  }

  /** Show the runs to choose from, unless they are shown already: an open list would close. */
  offerRuns() {
    const { runs } = this.listed;
    const offered = JSON.stringify(runs.map((run) => [run.name, runLabel(run)]));
    if (offered === this.offered) return;
    this.offered = offered;
    this.runs.replaceChildren(
      ...runs.map((run) => el("option", { value: run.name, selected: run.name === this.run }, runLabel(run))),
    );
    this.runs.disabled = runs.length === 0;
    if (!runs.length) this.runs.replaceChildren(el("option", {}, "none yet"));
  }

  /** Look for runs that have begun elsewhere, and at what the other run has learned. */
  async look() {
    const { run } = this;
    if (document.hidden || run === null || this.statistics?.run !== run) return;
    const listed = await api.get("runs").catch(() => null); // null: an outage has begun
    if (listed === null || this.closed || run !== this.run) return;
    this.listed = listed;
    this.offerRuns();
    this.comparison.renew(listed, run, this.gameId);
  }

  /** Follow the run while somebody can see it: a browser opens only about six connections to a server, for all its tabs. */
  attend() {
    this.unfollow();
    if (document.hidden) return;
    if (this.listed) this.follow(this.run);
    else this.start();
  }

  /** Follow the statistics of a run, or wait for the first run. */
  follow(run) {
    this.run = run;
    if (run) tabMemory.set("run", run);
    this.unfollow();
    if (document.hidden) return; // `attend` follows
    const address = run ? `events?run=${encodeURIComponent(run)}` : "events";
    this.stream = new Stream(address, "statistics", (news) => this.take(news), (sentence) => this.refused(sentence));
  }

  unfollow() {
    this.stream?.close();
    clearTimeout(this.again);
  }

  /** The server refuses the stream, such as that of a run whose folder is gone. */
  refused(sentence) {
    this.refusal = sentence;
    this.again = setTimeout(() => this.start(), REFUSED_MS);
    this.tick();
  }

  /** Take over an event: the whole history, or what was added to it. */
  take(statistics) {
    setTime(statistics.now);
    if (this.run === null && statistics.run !== null) {
      this.start(); // the first run has appeared
      return;
    }
    const { history, eval_history: evaluations } = statistics.stats;
    const another = statistics.run !== this.statistics?.run || history.length < this.history.length;
    if (!statistics.added && another) this.charts.forEach((chart) => chart.begin());
    this.history = statistics.added ? extended(this.history, history) : history;
    this.evaluated = statistics.added ? thinned([...this.evaluated, ...evaluations]) : evaluations;
    this.statistics = statistics;
    this.refusal = null;
    const game = statistics.stats.env_id || statistics.actors.env_id;
    if ((!statistics.added && another) || game !== this.gameId) this.comparison.offer(this.listed, statistics.run, game);
    if (game !== this.gameId) this.nameGame(game);
    this.draw();
  }

  async nameGame(game) {
    this.gameId = this.gameName = game;
    if (game && this.games === undefined) this.games = (await api.get("games").catch(() => ({ games: [] }))).games;
    const info = this.games?.includes(game) ? await api.info(game).catch(() => null) : null; // null: an outage has begun
    if (info) this.gameName = info.display_name;
    this.tick();
  }

  draw() {
    const { stats, actors } = this.statistics;
    const of = (name) => this.history.map((point) => point[name] ?? null);
    const steps = of("step");
    const none = "Appears once the trainer has written its first statistics.";
    const beside = (name) => this.comparison.curve((stats) => stats.history, (point) => point[name]);
    const losses = ["total_loss", "policy_loss", "value_loss", "target_entropy"].map(of);
    this.losses.draw([steps, ...losses], none, beside("total_loss"));
    this.rates.draw([steps, of("learning_rate")], none, beside("learning_rate"));
    this.offerOpponents([...new Set(this.evaluated.map((one) => one.opponent))]);
    this.drawEvaluations();
    const ends = stats.total_steps && stats.total_steps < 5e8 ? `of ${count(stats.total_steps)}` : "no fixed end";
    this.tiles.step.draw("Training step", count(stats.step), stats.step ? ends : "not started");
    this.tiles.games.draw("Games played", count(actors.episodes_completed), results(actors));
    this.tiles.replay.draw("Replay rows", count(stats.replay_buffer_size), `${count(stats.samples_seen)} sampled`);
    this.tick();
  }

  /** Show the opponents to choose from, unless they are shown already: an open list would close. */
  offerOpponents(names) {
    if (JSON.stringify(names) === JSON.stringify(this.named)) return;
    this.named = names;
    const chosen = this.opponents.value;
    this.opponents.replaceChildren(...names.map((name) => el("option", { value: name, selected: name === chosen }, name)));
    this.opponentField.hidden = names.length < 2;
  }

  drawEvaluations() {
    const all = this.evaluated;
    const opponent = this.opponents.value;
    const shown = all.filter((one) => one.opponent === opponent);
    const bounds = shown.map(winInterval);
    const beside = (number) => this.comparison.curve((stats) => stats.eval_history, number);
    this.evaluations.draw(
      [
        shown.map((one) => one.step),
        ...["win_rate", "draw_rate", "loss_rate"].map((name) => shown.map((one) => one[name] ?? null)),
        bounds.map((bound) => bound[0]),
        bounds.map((bound) => bound[1]),
      ],
      "Appears once a model has been evaluated.",
      beside((one) => (one.opponent === opponent ? one.win_rate : null)),
    );
    this.evaluationNote.textContent = shown.length ? `Against ${opponent}; the band is the 95% interval of the win rate.` : "";
    const measured = all.filter((one) => Array.isArray(one.move_quality) && one.move_quality.length);
    const errors = measured.map((one) => one.move_quality[0]);
    this.quality.root.hidden = !measured.length;
    const rated = measured.length ? [] : all.filter((one) => typeof one.elo === "number"); // wrong moves say more
    this.elo.root.hidden = !rated.length;
    this.rates.root.classList.toggle("all", !measured.length && !rated.length); // the last of three charts takes the whole row
    if (rated.length) {
      const ends = rated.map((one) => one.elo_interval_95 ?? [null, null]);
      this.elo.draw([
        rated.map((one) => one.step),
        rated.map((one) => one.elo),
        ends.map((bound) => bound[0]),
        ends.map((bound) => bound[1]),
      ], "", beside((one) => one.elo));
    }
    if (measured.length) {
      this.quality.draw([
        measured.map((one) => one.step),
        errors.map((one) => one.weak_error ?? null),
        errors.map((one) => one.strong_error ?? null),
        errors.map((one) => one.weak_interval_95?.[0] ?? null),
        errors.map((one) => one.weak_interval_95?.[1] ?? null),
      ], "", beside((one) => one.move_quality?.[0]?.weak_error));
      const { positions, simulations } = errors.at(-1);
      this.qualityNote.textContent =
        `${simulations ? `With ${counted(simulations, "simulation")}` : "The raw policy"} in ${counted(positions, "solved position")}; ` +
        "the band is the 95% interval.";
    }
    this.results.hidden = all.length === 0;
    this.table.replaceChildren(evaluationTable(all.slice(-8).reverse()));
  }

  /** Draw what changes with time alone. */
  tick() {
    if (!this.statistics) {
      if (this.refusal) write(this.note, this.refusal);
      return;
    }
    const { run, stats, actors, model } = this.statistics;
    const now = time();
    const training = stats.timestamp && now - stats.timestamp < FRESH_SECONDS;
    const playing = actors.timestamp && now - actors.timestamp < FRESH_SECONDS;
    this.tiles.speed.draw("Games per second", playing ? rate(actors.episodes_per_second) : "–", playing ? "now" : "no actor is running");
    this.tiles.positions.draw(
      "Positions per second",
      playing ? rate(actors.positions_per_second ?? 0) : "–",
      playing && actors.simulations_per_second ? `${count(actors.simulations_per_second)} simulations/s` : "",
    );
    const players = actors.players ?? [];
    this.cluster.hidden = !players.length;
    if (players.length) this.machines.replaceChildren(playerTable(players));
    const named = model?.loaded && model.training_step !== null;
    this.tiles.model.draw(
      "Newest model",
      named ? count(model.training_step) : model?.loaded ? "loaded" : model?.problem ? "not usable" : "none",
      model?.file_modified ? `${named ? "step · " : ""}${ago(model.file_modified)}` : "no model yet",
    );
    const game = this.gameName;
    const of = game ? ` · ${game}` : "";
    if (run === null) write(this.status, "Waiting for a run");
    else if (training) write(this.status, `Learning${game ? ` ${game}` : ""}`);
    else if (playing) write(this.status, `Collecting games${of}`); // the trainer may wait for enough of them
    else write(this.status, stats.timestamp ? `Not running${of}` : "Waiting for the first statistics");
    const problems = [this.refusal, stats.message, model?.problem ? model.status : null].filter(Boolean);
    write(this.note, problems.length ? problems.join(" ") : `Last update ${ago(stats.timestamp)}.`);
  }
}

function results(actors) {
  const games = actors.player1_wins + actors.player2_wins + actors.draws;
  if (!games) return "none yet";
  const share = (number) => percent(number / games);
  return `${share(actors.player1_wins)} first · ${share(actors.player2_wins)} second · ${share(actors.draws)} draws`;
}
