// Play: one game against the newest model.

import { api, ApiError } from "../base/api.js";
import { el, typing } from "../base/dom.js";
import { moveName, signed } from "../base/format.js";
import { memory } from "../base/memory.js";
import { AnalysisTable } from "../parts/analysis_table.js";
import { Board, landing } from "../parts/board.js";
import { GameForm } from "../parts/game_form.js";
import { MoveList } from "../parts/move_list.js";
import { ValueBar } from "../parts/value_bar.js";

const NO_COOKIE = "No game can be played, because this browser does not keep this page’s cookie; allow cookies for this address.";

export class PlayView {
  constructor(holder) {
    this.settings = { game: "tictactoe", first: "player", simulations: 100, analysis: false, ...stored() };
    this.state = null; // the newest game state of the server
    this.plies = []; // the answer of /game/moves
    this.shownPly = null; // null: the position now
    this.analyses = new Map(); // by ply
    this.hinted = null; // the action of the last hint
    this.pending = 0; // tasks that wait for the server
    this.turn = Promise.resolve(); // the end of the last of them
    this.closed = false;
    this.build(holder);
    this.onkey = (event) => this.key(event);
    addEventListener("keydown", this.onkey);
    this.begin();
  }

  close() {
    this.closed = true;
    removeEventListener("keydown", this.onkey);
  }

  build(holder) {
    this.boardHolder = el("div", { class: "boardholder" });
    this.status = el("p", { class: "status", role: "status", "aria-live": "polite" }, "Preparing the game…");
    this.note = el("p", { class: "note" });
    this.spoken = el("p", { class: "hidden", role: "status" }); // for people who don't see the board
    this.valueHolder = el("div", { class: "valueholder" });
    this.valueBar = new ValueBar(this.valueHolder);
    this.undoButton = el("button", { type: "button", onclick: () => this.undo() }, "Undo", el("kbd", {}, "U"));
    this.hintButton = el("button", { type: "button", onclick: () => this.hint() }, "Hint", el("kbd", {}, "H"));
    this.analysisButton = el(
      "button",
      { type: "button", "aria-pressed": String(this.settings.analysis), onclick: () => this.toggleAnalysis() },
      "Model analysis",
      el("kbd", {}, "M"),
    );
    this.passButton = el("button", { type: "button", class: "primary", hidden: true, onclick: () => this.pass() }, "Pass");
    this.analysisTable = new AnalysisTable();
    this.moves = new MoveList((ply) => this.show(ply));
    this.formHolder = el("div");
    this.frame = el(
      "div",
      { class: "table" },
      el(
        "section",
        { class: "stage", "aria-label": "Board" },
        el("div", { class: "headline" }, this.status, this.note, this.spoken),
        this.boardHolder,
        this.valueHolder,
        el("div", { class: "actions" }, this.passButton, this.undoButton, this.hintButton, this.analysisButton),
      ),
      el(
        "aside",
        { class: "side", "aria-label": "Game" },
        el("section", { class: "card" }, el("h2", {}, "New game"), this.formHolder),
        el("section", { class: "card", "aria-label": "Moves" }, el("h2", {}, "Moves"), this.moves.root),
        this.analysisTable.root,
      ),
    );
    holder.append(el("h1", { class: "hidden" }, "Play the newest model"), this.frame);
  }

  async begin() {
    try {
      this.games = (await api.get("games")).games;
      const infos = await Promise.all(this.games.map((game) => api.info(game)));
      if (this.closed) return;
      this.form = new GameForm(infos, this.settings, {
        onwish: (changes) => this.wish(changes),
        onstrength: (simulations) => this.setStrength(simulations),
        onstart: () => this.start(),
      });
      this.formHolder.replaceChildren(this.form.root);
      await this.attempt(async () => {
        const state = await api.get("game/state");
        if (state.ply === 0 && !sameSettings(settingsOf(state), this.settings)) await this.fresh(this.wanted());
        else await this.adopt(state);
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.note.textContent = error.message;
    }
  }

  /** Start the game that was chosen; but not if arrow keys chose it, because they pass over the choices in between. */
  wish(changes) {
    this.remember(changes);
    if (document.activeElement?.matches("input[type=radio]:focus-visible"))
      this.note.textContent = this.spoken.textContent = "Press New game to begin it.";
    else this.start();
  }

  /** Do work that asks the server, once all earlier work is done. Meanwhile the board accepts no move. */
  attempt(work) {
    this.pending += 1;
    this.board?.freeze();
    this.boardHolder.classList.add("waiting");
    this.turn = this.turn.catch(() => {}).then(() => this.work(work)); // a failure doesn't stop the work after it
    return this.turn;
  }

  async work(work) {
    try {
      if (!this.closed) await work().catch((error) => this.refused(error));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status) this.note.textContent = error.message;
    } finally {
      this.pending -= 1;
      if (this.pending === 0) this.boardHolder.classList.remove("waiting");
      if (this.state && !this.closed) this.render();
    }
  }

  /** Go on after a refusal that is about the game itself; throw any other error. */
  async refused(error) {
    if (error.status === 409) await this.lost();
    else if (error.status === 412) await this.overtaken(error.message);
    else throw error;
  }

  wanted() {
    const { game, first, simulations } = this.settings;
    return { game, first, simulations };
  }

  start() {
    const wanted = this.wanted();
    return this.attempt(() => this.fresh(wanted));
  }

  async fresh(wanted) {
    const state = await api.post("game/new", wanted);
    try {
      await this.take(state);
    } catch (error) {
      throw error.status === 409 ? new ApiError(400, NO_COOKIE) : error; // the cookie that came with the game wasn't sent back
    }
  }

  /** Go on with a game that the server has, and show its settings. */
  async adopt(state) {
    this.remember(settingsOf(state));
    this.form.show(this.settings);
    await this.take(state);
  }

  /** Another tab has replaced or changed the game. `sentence` says which. */
  async overtaken(sentence) {
    await this.adopt(await api.get("game/state"));
    this.note.textContent = `${sentence} The board shows the game as it is now.`;
  }

  /** The server no longer has our game: begin another one with the same settings. */
  async lost() {
    await this.fresh(this.state ? settingsOf(this.state) : this.wanted());
    this.note.textContent = "The server no longer had your game, so a new one began.";
  }

  recovered() {
    if (!this.form) {
      this.begin();
      return;
    }
    this.attempt(async () => {
      const state = await api.get("game/state");
      if (state.game_id === this.state?.game_id) await this.take(state);
      else if (this.state && state.ply === 0) await this.lost();
      else await this.adopt(state);
    });
  }

  play(action) {
    if (this.pending) return this.turn;
    return this.attempt(async () => {
      const mover = this.state.human_player;
      const cells = [...this.state.board];
      for (const cell of this.state.changes[action] ?? []) cells[cell] = mover;
      this.board.draw({ cells, last: this.state.changes[action]?.[0], animate: true }); // now; the model's answer follows
      this.status.textContent = "The model is thinking…";
      await this.take(await api.post("move", { position: action, ...this.shownGame() }), true);
    });
  }

  /** Which game the page shows; the server refuses a request about any other. */
  shownGame() {
    const { game_id, moves } = this.state;
    return { game_id, moves };
  }

  pass() {
    return this.play(this.state.legal_moves[0]);
  }

  undo() {
    if (!this.undoButton.disabled) return this.attempt(async () => this.take(await api.post("game/undo", this.shownGame())));
  }

  async setStrength(simulations) {
    this.remember({ simulations });
    await this.attempt(async () => this.take(await api.post("game/settings", { simulations, game_id: this.state?.game_id })));
  }

  async hint() {
    if (this.hintButton.disabled) return;
    await this.attempt(async () => {
      this.shownPly = null;
      const { best } = await this.analysisOf(this.state.ply);
      this.hinted = best;
      this.note.textContent = `Hint: ${moveName(this.info, best)}.`;
    });
  }

  async toggleAnalysis() {
    this.remember({ analysis: !this.settings.analysis });
    this.analysisButton.setAttribute("aria-pressed", String(this.settings.analysis));
    await this.attempt(() => this.analyseShown());
  }

  /** Take over a game state from the server. */
  async take(state, animate = false) {
    const info = await api.info(state.game);
    if (this.closed) return;
    if (info !== this.info) {
      this.info = info;
      this.boardHolder.replaceChildren();
      this.frame.dataset.game = info.env_id;
      this.board = new Board(this.boardHolder, info, (action) => this.play(action));
    }
    if (!this.state || !goesOn(this.state, state)) this.analyses.clear();
    this.state = state;
    this.animate = animate;
    this.shownPly = null;
    this.hinted = null;
    this.note.textContent = "";
    const played = state.bot_move ?? null;
    this.spoken.textContent = played === null ? "" : `The model played ${moveName(info, played)}.`;
    this.plies = (await api.get("game/moves", { game_id: state.game_id })).plies;
    await this.analyseShown();
  }

  /** Ask for the analysis of the shown position, if analyses are wanted. */
  async analyseShown() {
    const ply = this.shownPly ?? this.state.ply;
    if (this.settings.analysis && !(this.state.game_over && ply === this.state.ply)) await this.analysisOf(ply);
  }

  async analysisOf(ply) {
    if (!this.analyses.has(ply)) this.analyses.set(ply, await api.get("game/mind", { ply, game_id: this.state.game_id }));
    return this.analyses.get(ply);
  }

  show(ply) {
    this.shownPly = ply === this.state.ply ? null : ply;
    this.animate = false;
    this.render();
    if (this.settings.analysis) this.attempt(() => this.analyseShown());
  }

  render() {
    const { state, info } = this;
    const ply = this.shownPly ?? state.ply;
    const now = this.shownPly === null;
    const position = this.plies[ply] ?? { board: state.board, mover: state.current_player };
    const analysis = this.settings.analysis ? this.analyses.get(ply) : undefined;
    const marks = analysis ? Object.fromEntries(analysis.thoughts.map((move) => [move.action, move])) : {};
    const lastCell = ply > 0 ? newStone(this.plies[ply - 1]?.board, position.board) : null;
    const yours = now && !state.game_over && state.current_player === state.human_player;
    this.board.draw({
      cells: position.board,
      legal: now ? state.legal_moves : analysis ? analysis.thoughts.map((move) => move.action) : [],
      changes: now ? state.changes : landing(info, position.board, Object.keys(marks).map(Number)),
      marks,
      best: now && this.hinted !== null ? this.hinted : analysis?.best,
      last: lastCell,
      line: now ? state.winning_line : [],
      mover: position.mover,
      playable: yours && this.pending === 0,
      animate: this.animate,
    });
    this.animate = false;
    this.status.textContent = now ? standing(state, info) : `Looking back: after ${ply} of ${state.ply} moves.`;
    if (now && !this.note.textContent) this.note.textContent = remark(state);
    this.passButton.hidden = !(yours && state.legal_moves.length === 1 && state.legal_moves[0] >= state.board.length);
    this.undoButton.disabled = !state.moves.length || (state.moves.length === 1 && state.human_player === 2);
    this.hintButton.disabled = !yours;
    this.drawValue(ply, analysis);
    this.analysisTable.draw(info, analysis);
    this.moves.draw(info, this.plies, ply);
  }

  drawValue(ply, analysis) {
    const { state, info } = this;
    const names = info.player_names;
    const ended = state.game_over && ply === state.ply;
    const value = ended ? { 1: 1, 2: -1, 3: 0 }[state.winner] : this.valueAt(ply, analysis);
    let text = "The model has not analysed this position yet.";
    if (ended) text = state.winner === 3 ? "Result: a draw" : `Result: ${names[state.winner - 1]} has won`;
    else if (value > 0.05) text = `Model’s value: ${signed(value)} for ${names[0]}`;
    else if (value < -0.05) text = `Model’s value: ${signed(-value)} for ${names[1]}`;
    else if (value !== null) text = `Model’s value: even (${signed(value)} for ${names[0]})`;
    if (info.env_id === "othello") {
      const discs = (player) => (this.plies[ply]?.board ?? state.board).filter((owner) => owner === player).length;
      text += ` · ${names[0]} ${discs(1)}, ${names[1]} ${discs(2)}`;
    }
    this.valueBar.draw(info, value, text);
  }

  /** The first player's value at a ply: from its analysis, else the newest known before it; null if none is known. */
  valueAt(ply, analysis) {
    const forFirst = ({ mover, value }) => (mover === 1 ? value : -value);
    if (analysis) return forFirst(analysis);
    const known = this.plies.slice(0, ply + 1).findLast((position) => position.value !== null);
    return known ? forFirst(known) : null;
  }

  key(event) {
    if (typing(event) || !this.state) return;
    const ply = this.shownPly ?? this.state.ply;
    const keys = {
      u: () => this.undo(),
      h: () => this.hint(),
      m: () => this.toggleAnalysis(),
      n: () => this.start(),
      ArrowLeft: () => ply > 0 && this.show(ply - 1),
      ArrowRight: () => ply < this.state.ply && this.show(ply + 1),
    };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const column = this.info.board_type === "drop_column" && /^[1-9]$/.test(key) ? Number(key) - 1 : null;
    if (column !== null) this.board.play(column);
    else if (key in keys) keys[key]();
    else return;
    event.preventDefault();
  }

  remember(changes) {
    Object.assign(this.settings, changes);
    memory.set("play", JSON.stringify(this.settings));
  }
}

function stored() {
  try {
    return JSON.parse(memory.get("play")) ?? {};
  } catch {
    return {};
  }
}

/** The settings that a game was begun with. */
const settingsOf = ({ game, human_player: player, simulations }) => ({ game, first: player === 1 ? "player" : "bot", simulations });

const sameSettings = (one, other) => ["game", "first", "simulations"].every((name) => one[name] === other[name]);

/** Whether a game state is a later one of the same game, with the same search. */
const goesOn = (before, after) =>
  after.game_id === before.game_id &&
  after.simulations === before.simulations &&
  after.ply > before.ply &&
  before.moves.every((move, at) => move === after.moves[at]);

/** The cell that got a new stone between two boards; null if there is none. */
function newStone(before, after) {
  const at = before ? after.findIndex((owner, cell) => owner && !before[cell]) : -1;
  return at < 0 ? null : at;
}

/** How the game stands, in words. */
function standing(state, info) {
  if (state.winner === 3) return "A draw.";
  if (state.game_over) return state.winner === state.human_player ? "You win." : "The model wins.";
  const name = info.player_names[state.human_player - 1];
  if (state.legal_moves[0] >= state.board.length) return `You (${name}) have no move and must pass.`;
  return `Your turn. You play ${name}.`;
}

/** What the server says beyond how the game stands, else which model plays. */
function remark(state) {
  const further = state.message.split(/(?<=\.) /).slice(1).join(" ");
  if (further) return further;
  return state.model_step === null ? "" : `The model is from training step ${state.model_step.toLocaleString("en")}.`;
}
