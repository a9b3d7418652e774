// Play: one game against the newest model.

import { api, ApiError } from "./api.js";
import { Board, ValueBar, landing } from "./board.js";
import { choice, el, typing } from "./dom.js";
import { MoveList } from "./movelist.js";
import { ThoughtTable } from "./thoughts.js";
import { moveName, signed } from "./words.js";

const STRENGTHS = [0, 1, 10, 25, 50, 100, 200, 400, 800];

export class PlayView {
  constructor(holder) {
    this.settings = { game: "tictactoe", first: "player", simulations: 100, mind: false, ...stored() };
    this.state = null;
    this.plies = [];
    this.shownPly = null; // null: the position now
    this.minds = new Map();
    this.hinted = null;
    this.pending = 0; // what was asked of the server and isn't answered yet
    this.turn = Promise.resolve();
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
    this.status = el("p", { class: "status", role: "status", "aria-live": "polite" }, "Getting the game ready…");
    this.note = el("p", { class: "note" });
    this.spoken = el("p", { class: "hidden", role: "status" }); // for those who don't see the board
    this.valueHolder = el("div", { class: "valueholder" });
    this.valueBar = new ValueBar(this.valueHolder);
    this.undoButton = el("button", { type: "button", onclick: () => this.undo() }, "Undo", el("kbd", {}, "U"));
    this.hintButton = el("button", { type: "button", onclick: () => this.hint() }, "Hint", el("kbd", {}, "H"));
    this.mindButton = el(
      "button",
      { type: "button", "aria-pressed": String(this.settings.mind), onclick: () => this.toggleMind() },
      "Model’s mind",
      el("kbd", {}, "M"),
    );
    this.passButton = el("button", { type: "button", class: "primary", hidden: true, onclick: () => this.pass() }, "Pass");
    this.thoughts = new ThoughtTable();
    this.moves = new MoveList((ply) => this.show(ply));
    this.gameChoice = el("div");
    holder.append(
      el("h1", { class: "hidden" }, "Play the newest model"),
      (this.frame = el(
        "div",
        { class: "table" },
        el(
          "section",
          { class: "stage", "aria-label": "Board" },
          el("div", { class: "headline" }, this.status, this.note, this.spoken),
          this.boardHolder,
          this.valueHolder,
          el("div", { class: "actions" }, this.passButton, this.undoButton, this.hintButton, this.mindButton),
        ),
        el(
          "aside",
          { class: "side", "aria-label": "Game" },
          el("section", { class: "card" }, el("h2", {}, "New game"), this.gameChoice),
          el("section", { class: "card", "aria-label": "Moves" }, el("h2", {}, "Moves"), this.moves.root),
          this.thoughts.root,
        ),
      )),
    );
  }

  async begin() {
    try {
      this.games = (await api.get("/games")).games;
      const infos = await Promise.all(this.games.map((game) => api.info(game)));
      if (this.closed) return;
      this.settingsForm(infos);
      await this.attempt(async () => {
        const state = await api.get("/game/state");
        if (state.ply > 0) this.adopt(state);
        await (state.ply > 0 ? this.take(state) : this.fresh(this.wanted()));
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.note.textContent = error.message;
    }
  }

  settingsForm(infos) {
    const at = nearest(this.settings.simulations);
    const label = el("output", { class: "strength" }, strength(STRENGTHS[at]));
    const slider = el("input", {
      type: "range",
      min: 0,
      max: STRENGTHS.length - 1,
      value: at,
      id: "strength",
      "aria-valuetext": strength(STRENGTHS[at]),
      oninput: () => {
        label.textContent = strength(STRENGTHS[slider.value]);
        slider.setAttribute("aria-valuetext", label.textContent);
      },
      onchange: () => this.setStrength(STRENGTHS[slider.value]),
    });
    this.slider = slider;
    this.strengthLabel = label;
    this.gameChoice.replaceChildren(
      choice("Game", "game", infos.map((info) => [info.env_id, info.display_name]), this.settings.game, (game) => {
        this.wish({ game });
      }),
      choice("Who starts", "first", [["player", "You"], ["bot", "Model"]], this.settings.first, (first) => {
        this.wish({ first });
      }),
      el("div", { class: "field" }, el("label", { for: "strength" }, "Model’s search"), label, slider),
      el("button", { type: "button", class: "primary wide", onclick: () => this.start() }, "New game", el("kbd", {}, "N")),
    );
  }

  /** Another game is chosen: it begins at once, but for a keyboard, whose arrows pass over the choices between. */
  wish(changes) {
    this.remember(changes);
    if (document.activeElement?.matches("input[type=radio]:focus-visible"))
      this.note.textContent = this.spoken.textContent = "Press New game to begin it.";
    else this.start();
  }

  /** Do something that asks the server, after what was begun before it; say what went wrong. No move is taken meanwhile. */
  attempt(work) {
    this.pending += 1;
    this.board?.freeze();
    this.boardHolder.classList.add("waiting");
    this.turn = this.turn.catch(() => {}).then(() => this.work(work)); // what failed before is no reason not to go on
    return this.turn;
  }

  async work(work) {
    try {
      if (!this.closed) await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 409) await this.lost();
      else if (error.status) this.note.textContent = error.message;
    } finally {
      this.pending -= 1;
      if (this.pending === 0) this.boardHolder.classList.remove("waiting");
      if (this.state && !this.closed) this.render();
    }
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
    await this.take(await api.post("/game/new", wanted));
  }

  /** The server has no game of ours any more: begin another like it. */
  async lost() {
    await this.fresh(this.state ? settingsOf(this.state) : this.wanted());
    this.note.textContent = "The server no longer had your game, so a new one began.";
  }

  recovered() {
    if (!this.games) {
      this.begin();
      return;
    }
    const ply = this.state?.ply ?? 0;
    this.attempt(async () => {
      const state = await api.get("/game/state");
      const other = this.state && (state.game !== this.state.game || (ply > 0 && state.ply === 0));
      if (other) await this.lost();
      else await this.take(state);
    });
  }

  play(action) {
    if (this.pending) return this.turn;
    return this.attempt(async () => {
      const mover = this.state.human_player;
      const cells = [...this.state.board];
      for (const cell of this.state.changes[action] ?? []) cells[cell] = mover;
      this.board.draw({ cells, last: this.state.changes[action]?.[0], animate: true }); // at once; the answer follows
      this.status.textContent = "The model is thinking…";
      await this.take(await api.post("/move", { position: action }), true);
    });
  }

  pass() {
    return this.play(this.state.legal_moves[0]);
  }

  undo() {
    if (!this.undoButton.disabled) return this.attempt(async () => this.take(await api.post("/game/undo")));
  }

  async setStrength(simulations) {
    this.remember({ simulations });
    await this.attempt(async () => this.take(await api.post("/game/settings", { simulations })));
  }

  async hint() {
    if (this.hintButton.disabled) return;
    await this.attempt(async () => {
      this.shownPly = null;
      const mind = await this.mindOf(this.state.ply);
      this.hinted = mind.best;
      this.note.textContent = `Hint: ${moveName(this.info, mind.best)}.`;
    });
  }

  async toggleMind() {
    this.remember({ mind: !this.settings.mind });
    this.mindButton.setAttribute("aria-pressed", String(this.settings.mind));
    await this.attempt(() => this.look());
  }

  /** Take a game state over from the server. */
  async take(state, animate = false) {
    const info = await api.info(state.game);
    if (this.closed) return;
    if (info !== this.info) {
      this.info = info;
      this.boardHolder.replaceChildren();
      this.frame.dataset.game = info.env_id;
      this.board = new Board(this.boardHolder, info, (action) => this.play(action));
    }
    if (!this.state || state.simulations !== this.state.simulations || state.ply <= this.state.ply) this.minds.clear();
    this.state = state;
    this.animate = animate;
    this.shownPly = null;
    this.hinted = null;
    this.note.textContent = "";
    const played = state.bot_move ?? null;
    this.spoken.textContent = played === null ? "" : `The model played ${moveName(info, played)}.`;
    this.plies = (await api.get("/game/moves")).plies;
    await this.look();
  }

  /** Ask what the model thinks of the shown position, if that is wanted. */
  async look() {
    const ply = this.shownPly ?? this.state.ply;
    if (this.settings.mind && !(this.state.game_over && ply === this.state.ply)) await this.mindOf(ply);
  }

  /** Show the settings of a game that was found in progress. */
  adopt(state) {
    this.remember(settingsOf(state));
    this.slider.value = nearest(state.simulations);
    this.strengthLabel.textContent = strength(state.simulations);
    for (const input of this.gameChoice.querySelectorAll("input[type=radio]"))
      input.checked = this.settings[input.name] === input.value;
  }

  async mindOf(ply) {
    if (!this.minds.has(ply)) this.minds.set(ply, await api.get("/game/mind", { ply }));
    return this.minds.get(ply);
  }

  show(ply) {
    this.shownPly = ply === this.state.ply ? null : ply;
    this.animate = false;
    this.render();
    if (this.settings.mind) this.attempt(() => this.look());
  }

  render() {
    const { state, info } = this;
    const ply = this.shownPly ?? state.ply;
    const now = this.shownPly === null;
    const position = this.plies[ply] ?? { board: state.board, mover: state.current_player };
    const mind = this.settings.mind ? this.minds.get(ply) : undefined;
    const marks = mind ? Object.fromEntries(mind.thoughts.map((thought) => [thought.action, thought])) : {};
    const lastCell = ply > 0 ? changed(this.plies[ply - 1]?.board, position.board) : null;
    const yours = now && !state.game_over && state.current_player === state.human_player;
    this.board.draw({
      cells: position.board,
      legal: now ? state.legal_moves : mind ? mind.thoughts.map((thought) => thought.action) : [],
      changes: now ? state.changes : landing(info, position.board, Object.keys(marks).map(Number)),
      marks,
      best: now && this.hinted !== null ? this.hinted : mind?.best,
      last: lastCell,
      line: now ? state.winning_line : [],
      mover: position.mover,
      playable: yours && this.pending === 0,
      animate: this.animate,
    });
    this.animate = false;
    this.status.textContent = now ? sentence(state, info) : `Looking back: after ${ply} of ${state.ply} moves.`;
    if (now && !this.note.textContent) this.note.textContent = remark(state);
    this.passButton.hidden = !(yours && state.legal_moves.length === 1 && state.legal_moves[0] >= state.board.length);
    this.undoButton.disabled = !state.moves.length || (state.moves.length === 1 && state.human_player === 2);
    this.hintButton.disabled = !yours;
    this.value(ply, mind);
    this.thoughts.draw(info, mind);
    this.moves.draw(info, this.plies, ply);
  }

  value(ply, mind) {
    const { state, info } = this;
    let value = null;
    if (state.game_over && ply === state.ply) value = [null, 1, -1, 0][state.winner];
    else if (mind) value = mind.mover === 1 ? mind.value : -mind.value;
    else {
      for (let at = Math.min(ply, this.plies.length - 1); at >= 0 && value === null; at -= 1)
        if (this.plies[at].value !== null) value = this.plies[at].mover === 1 ? this.plies[at].value : -this.plies[at].value;
    }
    const names = info.player_names;
    let text = "The model has not looked at this yet.";
    if (value !== null) {
      const better = value > 0.05 ? names[0] : value < -0.05 ? names[1] : null;
      text = better ? `Model’s value: ${signed(Math.abs(value))} for ${better}` : `Model’s value: even (${signed(value)} for ${names[0]})`;
    }
    if (state.game_over && ply === state.ply) text = state.winner === 3 ? "Result: a draw" : `Result: ${names[state.winner - 1]} has won`;
    if (info.env_id === "othello") {
      const discs = (player) => (this.plies[ply]?.board ?? state.board).filter((owner) => owner === player).length;
      text += ` · ${names[0]} ${discs(1)}, ${names[1]} ${discs(2)}`;
    }
    this.valueBar.draw(info, value, text);
  }

  key(event) {
    if (typing(event) || !this.state) return;
    const ply = this.shownPly ?? this.state.ply;
    const keys = {
      u: () => this.undo(),
      h: () => this.hint(),
      m: () => this.toggleMind(),
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
    localStorage.setItem("play", JSON.stringify(this.settings));
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem("play")) ?? {};
  } catch {
    return {};
  }
}

/** What a game was begun with. */
const settingsOf = ({ game, human_player: player, simulations }) => ({ game, first: player === 1 ? "player" : "bot", simulations });

/** The place of a number of simulations on the slider. */
const nearest = (simulations) =>
  STRENGTHS.reduce((best, steps, at) => (Math.abs(steps - simulations) < Math.abs(STRENGTHS[best] - simulations) ? at : best), 0);

const strength = (simulations) => (simulations === 0 ? "raw policy" : simulations === 1 ? "1 simulation" : `${simulations} simulations`);

/** The cell that got a new stone between two boards; null where none did. */
function changed(before, after) {
  const at = before ? after.findIndex((owner, cell) => owner && !before[cell]) : -1;
  return at < 0 ? null : at;
}

function sentence(state, info) {
  if (state.winner === 3) return "A draw.";
  if (state.game_over) return state.winner === state.human_player ? "You win." : "The model wins.";
  const name = info.player_names[state.human_player - 1];
  if (state.legal_moves[0] >= state.board.length) return `You (${name}) have no move and must pass.`;
  return `Your turn. You play ${name}.`;
}

/** What the server says beyond whose turn it is. */
function remark(state) {
  const further = state.message.split(/(?<=\.) /).slice(1).join(" ");
  if (further) return further;
  return state.model_step === null ? "" : `Against the model of step ${state.model_step.toLocaleString("en")}.`;
}
