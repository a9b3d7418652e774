// Watch: what a run measures while it learns, live.

import { api, ApiError, reportOutage } from "./api.js";
import { Chart } from "./chart.js";
import { el } from "./dom.js";
import { ago, count, percent, rate, wilson } from "./words.js";

const FRESH_SECONDS = 20;
const MOST_POINTS = 600; // even: then the newest stays when every second goes
const KNOWN = new Set(["step", "opponent", "win_rate", "draw_rate", "loss_rate", "games_played", "timestamp"]);
const digits = (number) => number.toFixed(3);
const scientific = (number) => (number ? number.toExponential(1).replace("e-", "e−") : "0");

export class WatchView {
  constructor(holder) {
    this.run = null;
    this.history = [];
    this.evaluated = [];
    this.build(holder);
    this.clock = setInterval(() => this.ages(), 1000);
    this.start();
  }

  close() {
    this.closed = true;
    clearInterval(this.clock);
    clearTimeout(this.restart);
    this.source?.close();
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
    this.status = el("p", { class: "status", role: "status" }, "Looking for runs…");
    this.note = el("p", { class: "note" });
    this.tiles = Object.fromEntries(
      ["step", "games", "speed", "positions", "replay", "model"].map((name) => [name, new Tile()]),
    );
    const loss = (label, color, dash) => ({ label, color, dash, text: digits });
    this.losses = new Chart("Loss", [
      loss("total", "--chart-1"),
      loss("policy", "--chart-2", [8, 4]),
      loss("value", "--chart-3", [2, 3]),
    ], { format: (number) => `${+number.toFixed(2)}` });
    this.rates = new Chart("Learning rate", [{ label: "learning rate", color: "--chart-1", text: scientific }], {
      format: scientific,
    });
    const share = (label, color, dash) => ({ label, color, dash, text: (value) => percent(value, 1) });
    this.evaluations = new Chart(
      "Evaluation",
      [
        { ...share("won", "--chart-1"), band: [4, 3] },
        share("drawn", "--chart-2", [8, 4]),
        share("lost", "--chart-3", [2, 3]),
        { label: "low", color: "--chart-1", hidden: true },
        { label: "high", color: "--chart-1", hidden: true },
      ],
      { range: [0, 1], format: (number) => percent(number) },
    );
    this.quality = new Chart(
      "Wrong moves",
      [
        { ...share("give away a result", "--chart-1"), band: [3, 2] },
        share("not the shortest way", "--chart-2", [8, 4]),
        { label: "low", color: "--chart-1", hidden: true },
        { label: "high", color: "--chart-1", hidden: true },
      ],
      { format: (number) => percent(number) },
    );
    this.qualityNote = el("p", { class: "quiet" });
    this.quality.root.append(this.qualityNote);
    this.charts = [this.losses, this.rates, this.evaluations, this.quality];
    this.opponents = el("select", { id: "opponent", onchange: () => this.drawEvaluations() });
    this.opponentField = el("div", { class: "inline", hidden: true }, el("label", { for: "opponent" }, "Opponent"), this.opponents);
    this.evaluations.root.querySelector("figcaption").append(this.opponentField);
    this.evaluationNote = el("p", { class: "quiet" });
    this.evaluations.root.append(this.evaluationNote);
    this.table = el("div", { class: "scroll", role: "region", "aria-label": "Evaluations", tabindex: 0 });
    this.results = el("section", { class: "card all" }, el("h2", {}, "Newest evaluations"), this.table);
    holder.append(
      el("h1", { class: "hidden" }, "Watch a run learn"),
      el(
        "div",
        { class: "topline" },
        el("div", {}, this.status, this.note),
        el("div", { class: "inline" }, el("label", { for: "run" }, "Run"), this.runs),
      ),
      el("dl", { class: "tiles" }, ...Object.values(this.tiles).map((tile) => tile.root)),
      el("div", { class: "charts" }, this.losses.root, this.evaluations.root, this.quality.root, this.rates.root, this.results),
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
    const { runs, default: newest } = await api.get("/runs");
    const remembered = this.run ?? sessionStorage.getItem("run");
    this.run = runs.some((run) => run.name === remembered) ? remembered : newest;
    this.runs.replaceChildren(
      ...runs.map((run) => el("option", { value: run.name, selected: run.name === this.run }, runLabel(run))),
    );
    this.runs.disabled = runs.length === 0;
    if (!runs.length) this.runs.replaceChildren(el("option", {}, "none yet"));
  }

  /** Listen to a run, or wait for one. */
  follow(run) {
    this.run = run;
    if (run) sessionStorage.setItem("run", run);
    this.source?.close();
    clearTimeout(this.restart);
    this.source = new EventSource(run ? `/events?run=${encodeURIComponent(run)}` : "/events");
    this.source.addEventListener("figures", (event) => this.take(JSON.parse(event.data)));
    this.source.onerror = () => {
      this.source.close();
      reportOutage();
    };
  }

  take(figures) {
    if (this.run === null && figures.run !== null) {
      this.start(); // the first run has come
      return;
    }
    const { history, eval_history: evaluations } = figures.stats;
    if (!figures.added) this.charts.forEach((chart) => chart.begin());
    this.history = figures.added ? extended(this.history, history) : history;
    this.evaluated = figures.added ? [...this.evaluated, ...evaluations] : evaluations;
    this.figures = figures;
    const game = figures.stats.env_id || figures.actors.env_id;
    if (game !== this.gameId) this.nameGame(game);
    this.draw();
  }

  async nameGame(game) {
    this.gameId = this.gameName = game;
    if (game && this.games === undefined) this.games = (await api.get("/games").catch(() => ({ games: [] }))).games;
    if (this.games?.includes(game)) this.gameName = (await api.info(game)).display_name;
    this.ages();
  }

  draw() {
    const { stats, actors } = this.figures;
    const of = (name) => this.history.map((point) => point[name] ?? null);
    const steps = of("step");
    const none = "Shows when the trainer has written its first figures.";
    this.losses.draw([steps, of("total_loss"), of("policy_loss"), of("value_loss")], none);
    this.rates.draw([steps, of("learning_rate")], none);
    const known = [...new Set(this.evaluated.map((one) => one.opponent))];
    const chosen = this.opponents.value;
    this.opponents.replaceChildren(...known.map((name) => el("option", { value: name, selected: name === chosen }, name)));
    this.opponentField.hidden = known.length < 2;
    this.drawEvaluations();
    const ends = stats.total_steps && stats.total_steps < 5e8 ? `of ${count(stats.total_steps)}` : "no fixed end";
    this.tiles.step.draw("Training step", count(stats.step), stats.step ? ends : "not started");
    this.tiles.games.draw("Games played", count(actors.episodes_completed), results(actors));
    this.tiles.replay.draw("Replay rows", count(stats.replay_buffer_size), `${count(stats.samples_seen)} drawn`);
    this.ages();
  }

  drawEvaluations() {
    const all = this.evaluated;
    const opponent = this.opponents.value;
    const shown = all.filter((one) => one.opponent === opponent);
    const bounds = shown.map(winInterval);
    this.evaluations.draw(
      [
        shown.map((one) => one.step),
        ...["win_rate", "draw_rate", "loss_rate"].map((name) => shown.map((one) => one[name] ?? null)),
        bounds.map((bound) => bound[0]),
        bounds.map((bound) => bound[1]),
      ],
      "Shows when a model has been evaluated.",
    );
    this.evaluationNote.textContent = shown.length ? `Against ${opponent}; the band is the 95 % interval of the wins.` : "";
    const examined = all.filter((one) => Array.isArray(one.move_quality) && one.move_quality.length);
    const exams = examined.map((one) => one.move_quality[0]);
    this.quality.root.hidden = !examined.length;
    if (examined.length) {
      this.quality.draw([
        examined.map((one) => one.step),
        exams.map((exam) => exam.weak_error ?? null),
        exams.map((exam) => exam.strong_error ?? null),
        exams.map((exam) => exam.weak_interval_95?.[0] ?? null),
        exams.map((exam) => exam.weak_interval_95?.[1] ?? null),
      ]);
      const { positions, simulations } = exams[exams.length - 1];
      this.qualityNote.textContent =
        `${simulations ? `With ${count(simulations)} simulations` : "The raw policy"} in ${count(positions)} solved positions; ` +
        "the band is the 95 % interval.";
    }
    this.results.hidden = all.length === 0;
    this.table.replaceChildren(evaluationTable(all.slice(-8).reverse()));
  }

  /** What depends on the time of day. */
  ages() {
    if (!this.figures) return;
    const { run, stats, actors, model } = this.figures;
    const now = Date.now() / 1000;
    const training = stats.timestamp && now - stats.timestamp < FRESH_SECONDS;
    const playing = actors.timestamp && now - actors.timestamp < FRESH_SECONDS;
    this.tiles.speed.draw("Games per second", playing ? rate(actors.episodes_per_second) : "–", playing ? "now" : "no actor at work");
    this.tiles.positions.draw(
      "Positions per second",
      playing ? rate(actors.positions_per_second ?? 0) : "–",
      playing && actors.simulations_per_second ? `${count(actors.simulations_per_second)} simulations/s` : "",
    );
    const named = model?.loaded && model.training_step !== null;
    this.tiles.model.draw(
      "Newest model",
      named ? count(model.training_step) : model?.loaded ? "unnamed" : "none",
      model?.file_modified ? `${named ? "step · " : ""}${ago(model.file_modified)}` : "no model yet",
    );
    const game = this.gameName;
    if (run === null) this.status.textContent = "Waiting for a run";
    else if (training) this.status.textContent = `Learning${game ? ` ${game}` : ""}`;
    else if (stats.timestamp) this.status.textContent = `At rest${game ? ` · ${game}` : ""}`;
    else this.status.textContent = playing ? "Collecting games" : "Waiting for the first figures";
    const trouble = model?.problem ? `The newest model can’t be used (${model.problem}).` : null;
    const problems = [stats.message, trouble].filter(Boolean);
    this.note.textContent = problems.length ? problems.join(" ") : `Last figures ${ago(stats.timestamp)}.`;
  }
}

/** The 95 % interval of the wins: the one that was measured, else Wilson's. */
const winInterval = (one) => one.win_interval_95 ?? wilson(one.win_rate, one.games_played);

class Tile {
  constructor() {
    this.name = el("dt");
    this.value = el("dd", { class: "figure" });
    this.extra = el("dd", { class: "quiet" });
    this.root = el("div", { class: "tile" }, this.name, this.value, this.extra);
  }

  draw(name, value, extra) {
    if (this.name.textContent !== name) this.name.textContent = name;
    if (this.value.textContent !== value) this.value.textContent = value;
    if (this.extra.textContent !== extra) this.extra.textContent = extra;
  }
}

const runLabel = (run) => (run.name === "." ? `data folder${run.env_id ? ` (${run.env_id})` : ""}` : run.name);

function results(actors) {
  const games = actors.player1_wins + actors.player2_wins + actors.draws;
  if (!games) return "none yet";
  const share = (number) => percent(number / games);
  return `${share(actors.player1_wins)} first · ${share(actors.player2_wins)} second · ${share(actors.draws)} draws`;
}

/** A history with points added, kept as bounded and even as the trainer keeps it. */
function extended(history, points) {
  let kept = [...history];
  for (const point of points) {
    if (kept.length > 2 && kept.at(-1).step - kept.at(-2).step < kept[1].step - kept[0].step) kept.pop();
    kept.push(point);
    if (kept.length > MOST_POINTS) kept = kept.filter((_, at) => at % 2 === 0);
  }
  return kept;
}

/** Evaluations with their intervals; what a run measures beyond them (Elo, move quality) gets its own columns. */
function evaluationTable(evaluations) {
  const extras = [...new Set(evaluations.flatMap((one) => Object.keys(one).filter((key) => !KNOWN.has(key) && typeof one[key] === "number")))];
  const heads = ["Step", "Opponent", "Won", "95 % interval", "Drawn", "Lost", "Games", ...extras.map((key) => key.replaceAll("_", " "))];
  const body = evaluations.map((one) => {
    const [low, high] = winInterval(one);
    const cells = [
      one.opponent,
      percent(one.win_rate, 1),
      `${percent(low, 1)} to ${percent(high, 1)}`,
      percent(one.draw_rate, 1),
      percent(one.loss_rate, 1),
      count(one.games_played),
      ...extras.map((key) => (typeof one[key] === "number" ? `${+one[key].toFixed(3)}` : "–")),
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
