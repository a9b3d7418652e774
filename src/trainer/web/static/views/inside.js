// Look inside: the stored games of a run, move by move, with what the network is taught from them.

import { api, ApiError } from "../base/api.js";
import { choice, dress, el, isOff, switchOff, typing, write } from "../base/dom.js";
import { ago, count, counted, percent, runLabel, scoreWords, setTime, signOf, signed } from "../base/format.js";
import { tabMemory } from "../base/memory.js";
import { Board } from "../board/board.js";
import { newest } from "../board/cells.js";
import { MoveList } from "../parts/move_list.js";
import { ValueBar } from "../parts/value_bar.js";

export class InsideView {
  constructor(holder) {
    this.run = null;
    this.asked = 0; // how often a list was asked for; only the newest answer counts
    this.filter = { result: "any", from_step: "", to_step: "" };
    this.build(holder);
    this.clock = setInterval(() => this.tick(), 1000);
    this.onkey = (event) => this.key(event);
    addEventListener("keydown", this.onkey);
    this.start();
  }

  close() {
    this.closed = true;
    clearInterval(this.clock);
    clearTimeout(this.retry);
    removeEventListener("keydown", this.onkey);
  }

  recovered() {
    this.start();
  }

  build(holder) {
    this.runs = el("select", { id: "run", onchange: () => this.choose(this.runs.value) });
    this.results = el("div");
    const step = (name, label) =>
      el(
        "div",
        { class: "small" },
        el("label", { for: name }, label),
        el("input", { type: "number", id: name, min: 0, step: 1, inputmode: "numeric", placeholder: "any", onchange: (event) => this.narrow({ [name]: event.target.value }) }),
      );
    this.list = el("ol", { class: "games" });
    this.message = el("p", { class: "quiet", role: "status" });
    this.more = el("button", { type: "button", class: "wide", hidden: true, onclick: () => isOff(this.more) || this.load(this.next) }, "Older games");
    this.refresh = el("button", { type: "button", onclick: () => this.start() }, "Newest");
    this.heading = el("p", { class: "status" });
    this.about = el("p", { class: "note" });
    this.forget();
    this.boardHolder = el("div", { class: "boardholder" });
    this.valueHolder = el("div", { class: "valueholder" });
    this.valueBar = new ValueBar(this.valueHolder);
    this.strip = el("div", { class: "strip" });
    this.table = el("div");
    this.moves = new MoveList((ply) => this.show(ply));
    this.shown = el(
      "section",
      { class: "stage", "aria-label": "Stored game", hidden: true },
      this.boardHolder,
      this.valueHolder,
      this.strip,
      this.moves.root,
      this.table,
    );
    holder.append(
      el("h1", { class: "hidden" }, "Look inside the stored games"),
      el(
        "div",
        { class: "table flipped" },
        el(
          "aside",
          { class: "side card", "aria-label": "Games" },
          el("div", { class: "inline spread" }, el("label", { for: "run" }, "Run"), this.runs, this.refresh),
          this.results,
          el("div", { class: "pair" }, step("from_step", "From model step"), step("to_step", "to step")),
          this.message,
          this.list,
          this.more,
        ),
        el("div", { class: "viewer" }, el("div", { class: "headline" }, this.heading, this.about), this.shown),
      ),
    );
  }

  async start() {
    try {
      const { runs, default: newest } = await api.get("runs");
      const remembered = this.run ?? tabMemory.get("run");
      this.run = runs.some((run) => run.name === remembered) ? remembered : newest;
      this.runs.replaceChildren(
        ...runs.map((run) => el("option", { value: run.name, selected: run.name === this.run }, runLabel(run))),
      );
      this.runs.disabled = !runs.length;
      if (!runs.length) this.runs.replaceChildren(el("option", {}, "none yet"));
      const run = runs.find((one) => one.name === this.run);
      this.games = (await api.get("games")).games;
      await this.filters(run?.env_id);
      await this.load(null);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      write(this.message, error.message);
    }
  }

  async filters(game) {
    const info = this.games.includes(game) ? await api.info(game) : null;
    const [first, second] = info ? info.player_names : ["First", "Second"];
    const options = [["any", "All"], ["first", `${first} won`], ["second", `${second} won`], ["draw", "Draw"]];
    if (this.offered === String(options)) return; // a radio button keeps the focus
    this.offered = String(options);
    this.results.replaceChildren(choice("Result", "result", options, this.filter.result, (result) => this.narrow({ result })));
  }

  choose(run) {
    this.run = run;
    this.asked += 1;
    tabMemory.set("run", run);
    this.shown.hidden = this.more.hidden = true;
    this.list.replaceChildren();
    this.forget();
    this.start();
  }

  /** No game is chosen. */
  forget() {
    this.game = this.opening = null;
    this.heading.textContent = "Stored games";
    this.about.textContent = "Choose a game to see what the network is taught from each move.";
  }

  narrow(change) {
    Object.assign(this.filter, change);
    this.load(null);
  }

  /** List the games before `before`, or the newest. */
  async load(before) {
    clearTimeout(this.retry);
    switchOff(this.more, true);
    const asked = (this.asked += 1);
    let found, items;
    try {
      found = await api.get("replay/games", { run: this.run, before, ...this.filter });
      setTime(found.now);
      items = await Promise.all(found.games.map((game) => this.item(game)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (asked !== this.asked) return;
      write(this.message, error.message);
      switchOff(this.more, before === null); // older games can be asked for again; but the list may be of another filter
      return;
    }
    if (this.closed || asked !== this.asked) return; // a later call has replaced this one
    if (before === null) this.list.replaceChildren();
    this.list.append(...items);
    this.mark();
    this.next = found.next;
    this.more.hidden = found.next === null;
    switchOff(this.more, false);
    const none = found.next === null ? "No stored game matches." : "No match among the newest games; press Older games to search on.";
    write(this.message, found.message ?? (this.list.children.length ? "" : none));
    if (found.message) this.retry = setTimeout(() => (this.run ? this.load(null) : this.start()), 2000);
    if (!this.game && items.length) this.open(found.games[0].episode_id);
  }

  async item(game) {
    const info = this.games.includes(game.env_id) ? await api.info(game.env_id) : null;
    const result = game.winner === 3 ? "Draw" : game.winner && info ? `${info.player_names[game.winner - 1]} won` : "Unknown";
    const sign = game.winner === 3 || !info ? el("span", { class: "sign even" }, "=") : el("span", { class: `sign p${game.winner}` }, signOf(info, game.winner));
    const step = game.model_step === null ? "" : ` · near step ${count(game.model_step)}`;
    const listed = el(
      "li",
      {},
      el(
        "button",
        { type: "button", class: "game", "data-episode": game.episode_id, onclick: () => this.open(game.episode_id) },
        sign,
        el("span", { class: "what" }, result, el("small", {}, `${counted(game.plies, "move")}${step}`)),
        el("small", { class: "age", "data-stored": game.timestamp }, ago(game.timestamp)),
      ),
    );
    if (info) dress(listed, info);
    return listed;
  }

  /** Tell the game that is shown from the others of the list. */
  mark() {
    for (const button of this.list.querySelectorAll("button"))
      button.setAttribute("aria-current", String(button.dataset.episode === this.game?.episode_id));
  }

  /** Write how long ago the games were stored. */
  tick() {
    for (const age of this.list.querySelectorAll(".age")) write(age, ago(Number(age.dataset.stored)));
  }

  async open(episode) {
    const { run } = this;
    this.opening = episode;
    this.about.textContent = "Loading…";
    try {
      const game = await api.get("replay/game", { run, episode });
      const info = await api.info(game.env_id);
      if (this.closed || run !== this.run || episode !== this.opening) return; // a later click has replaced this one
      [this.game, this.info] = [game, info];
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (run === this.run && episode === this.opening) this.about.textContent = error.message;
      return;
    }
    this.mark();
    this.shown.hidden = false;
    dress(this.shown, this.info);
    this.boardHolder.replaceChildren();
    this.board = new Board(this.boardHolder, this.info, () => {});
    const { winner } = this.game;
    this.heading.textContent = winner === 3 ? "A draw" : winner ? `${this.info.player_names[winner - 1]} won` : "Not finished";
    const first = this.game.plies[0].ply;
    const unseen = first ? `, the first ${first > 1 ? `${first} ` : ""}of them random and not stored` : "";
    this.about.textContent = `${episode}, ${counted(this.game.plies.at(-1).ply, "move")}${unseen}`;
    this.drawStrip();
    this.show(0);
  }

  show(ply) {
    this.ply = ply;
    const { info, game } = this;
    const now = game.plies[ply];
    const next = now.action;
    const marks = now.visits ? Object.fromEntries(Object.entries(now.visits).map(([action, share]) => [action, { share }])) : {};
    this.board.draw({
      cells: now.board,
      marks,
      best: next,
      last: newest(info, game.plies, ply),
      mover: now.mover,
      playable: false,
    });
    const value = now.value === undefined || now.value === null ? null : now.mover === 1 ? now.value : -now.value;
    const name = info.player_names[now.mover - 1];
    const words =
      next === null
        ? "The game is over."
        : `Move ${now.ply + 1}: ${name} plays ${now.name}. Search value ${signed(now.value)}, result ${signed(now.outcome)} for ${name}.`;
    const end = { 1: 1, 2: -1, 3: 0 }[game.winner] ?? null;
    this.valueBar.draw(info, next === null ? end : value, words + scoreWords(info, now.score));
    this.moves.draw(info, game.plies, ply);
    this.strip.querySelectorAll("button").forEach((bar, at) => bar.setAttribute("aria-current", String(at === ply)));
    this.table.replaceChildren(this.targets(now));
  }

  /** The policy target of a position as a table. */
  targets(ply) {
    if (ply.action === null) return el("p", { class: "quiet" }, "Nothing is taught from a finished position.");
    if (!ply.visits) return el("p", { class: "quiet" }, "No policy target here: this position teaches only its value.");
    const ranked = Object.entries(ply.visits).sort((a, b) => b[1] - a[1]).slice(0, 6);
    return el(
      "table",
      { class: "targets" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Policy target"), el("th", { scope: "col" }, "Share"))),
      el(
        "tbody",
        {},
        ...ranked.map(([action, share]) => {
          const bar = el("span", { class: "sharebar" });
          bar.style.width = `${Math.round(100 * share)}%`;
          return el(
            "tr",
            { class: Number(action) === ply.action ? "best" : null },
            el("th", { scope: "row" }, `${ply.names[action]}${Number(action) === ply.action ? " (played)" : ""}`),
            el("td", {}, bar, el("span", {}, percent(share, 1))),
          );
        }),
      ),
    );
  }

  /** The search's value over the game, one bar per position: up for the first player, down for the second. */
  drawStrip() {
    this.strip.replaceChildren(
      ...this.game.plies.slice(0, -1).map((ply, at) => {
        const value = (ply.mover === 1 ? 1 : -1) * (ply.value ?? 0);
        const bar = el("span", { class: value >= 0 ? "up" : "down" });
        bar.style.height = `${Math.round(Math.abs(value) * 50)}%`;
        const said = ply.value === null ? "no search value" : `value ${signed(value)} for ${this.info.player_names[0]}`;
        const label = `Position ${ply.ply}: ${said}`;
        return el("button", { type: "button", tabindex: -1, title: label, "aria-label": label, onclick: () => this.show(at) }, bar);
      }),
    );
  }

  key(event) {
    if (typing(event) || !this.game) return;
    if (event.key === "ArrowLeft" && this.ply > 0) this.show(this.ply - 1);
    else if (event.key === "ArrowRight" && this.ply < this.game.plies.length - 1) this.show(this.ply + 1);
    else return;
    event.preventDefault();
  }
}
