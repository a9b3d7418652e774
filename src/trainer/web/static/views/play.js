// Play: one game against the newest model.

import { api, ApiError, forgetInfos } from "../base/api.js";
import { dress, isOff, switchOff, typing, write } from "../base/dom.js";
import { counted } from "../base/format.js";
import { memory } from "../base/memory.js";
import { firstValue, remark, reply, resultWords, standing, valueWords } from "../base/standing.js";
import { goesOn, sameSettings, settingsOf, storedSettings } from "../base/settings.js";
import { Board } from "../board/board.js";
import { newest } from "../board/cells.js";
import { GameForm } from "../parts/game_form.js";
import { PlayFrame } from "../parts/play_frame.js";

const NO_COOKIE = "No game can be played, because this browser does not keep this page’s cookie; allow cookies for this address.";

/** The game of the run that was written to last, if its rules are known; else the first game. */
async function newestGame(games) {
  const { runs, default: newest } = await api.get("runs");
  const game = runs.find((run) => run.name === newest)?.env_id;
  return games.includes(game) ? game : games[0];
}

export class PlayView {
  constructor(holder) {
    this.settings = { game: null, first: "player", simulations: 100, analysis: false, keys: true, ...storedSettings() };
    this.state = null; // the newest game state of the server
    this.plies = []; // the answer of /game/moves
    this.shownPly = null; // null: the position now
    this.analyses = new Map(); // by ply
    this.hinted = null; // the action of the last hint
    this.pending = 0; // tasks that wait for the server
    this.turn = Promise.resolve(); // the end of the last of them
    this.closed = false;
    this.frame = new PlayFrame(holder, this.settings, {
      undo: () => this.undo(),
      hint: () => this.hint(),
      analyse: () => this.toggleAnalysis(),
      switchKeys: (keys) => this.remember({ keys }),
      show: (ply) => this.show(ply),
    });
    this.onkey = (event) => this.key(event);
    addEventListener("keydown", this.onkey);
    this.begin();
  }

  close() {
    this.closed = true;
    removeEventListener("keydown", this.onkey);
  }

  async begin() {
    try {
      this.games = (await api.get("games")).games;
      if (!this.games.includes(this.settings.game)) this.settings.game = await newestGame(this.games); // none is remembered, or one of another server
      const infos = await Promise.all(this.games.map((game) => api.info(game)));
      if (this.closed) return;
      this.form = new GameForm(infos, this.settings, {
        onwish: (changes) => this.wish(changes),
        onstrength: (simulations) => this.setStrength(simulations),
        onstart: () => this.start(),
      });
      this.frame.form.replaceChildren(this.form.root);
      await this.attempt(() => this.enter());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.frame.note.textContent = error.message;
    }
  }

  /** Go on with the server's game; but begin another one if that has no move yet and other settings than those of the form. */
  async enter() {
    const state = await api.get("game/state", this.wanted()); // the settings count only if the server has no game yet
    if (state.ply === 0 && !sameSettings(settingsOf(state), this.settings)) await this.fresh(this.wanted());
    else await this.adopt(state);
  }

  /** Start the game that was chosen; but not if arrow keys chose it, because they pass over the choices in between. */
  wish(changes) {
    this.remember(changes);
    if (document.activeElement?.matches("input[type=radio]:focus-visible"))
      this.frame.note.textContent = "Press New game to begin it.";
    else this.start();
  }

  /** Do work that asks the server, once all earlier work is done. Meanwhile the board accepts no move. */
  attempt(work) {
    this.pending += 1;
    this.board?.freeze();
    this.frame.board.classList.add("waiting");
    this.turn = this.turn.catch(() => {}).then(() => this.work(work)); // a failure doesn't stop the work after it
    return this.turn;
  }

  async work(work) {
    try {
      if (!this.closed) await work().catch((error) => this.refused(error));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status) this.frame.note.textContent = error.message;
    } finally {
      this.pending -= 1;
      if (this.pending === 0) this.frame.board.classList.remove("waiting");
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
    this.showSettings(state);
    await this.take(state);
  }

  /** Let the form show the settings of a game; during an outage it may have been set to others. */
  showSettings(state) {
    this.remember(settingsOf(state));
    this.form.show(this.settings);
  }

  /** Another tab has replaced or changed the game. `sentence` says which. */
  async overtaken(sentence) {
    await this.adopt(await api.get("game/state"));
    this.frame.note.textContent = `${sentence} The board shows the game as it is now.`;
  }

  /** The server no longer has our game: begin another one with the same settings. */
  async lost() {
    forgetInfos();
    if (this.state) {
      const { game, first } = settingsOf(this.state); // not the strength, which the person may just have chosen
      this.remember({ game, first });
      this.form.show(this.settings);
    }
    await this.fresh(this.wanted());
    this.frame.note.textContent = "The server no longer had your game, so a new one began.";
  }

  recovered() {
    if (!this.form) {
      this.begin();
      return;
    }
    this.attempt(async () => {
      if (!this.state) {
        await this.enter(); // the first try failed; the server may have begun a game with the settings of that time
        return;
      }
      const state = await api.get("game/state", { game: this.state.game });
      if (state.game_id !== this.state.game_id && state.ply === 0) await this.lost();
      else await this.adopt(state);
    });
  }

  /** Play a move; `choice` is what the game state says of it. */
  play(action, choice) {
    if (this.pending) return this.turn;
    return this.attempt(async () => {
      const { board, current_player: mover } = this.state;
      const cells = [...board];
      choice.changes.forEach((cell, at) => (cells[cell] = choice.codes[at]));
      this.board.draw({ cells, last: newest(this.info, [{ board, mover, action }, { board: cells }], 1), animate: true }); // now; the model's answer follows
      this.frame.status.textContent = "The model is thinking…";
      await this.take(await api.post("move", { position: action, ...this.shownGame() }), true);
    });
  }

  /** Which game the page shows; the server refuses a request about any other. */
  shownGame() {
    const { game_id, moves } = this.state;
    return { game_id, moves };
  }

  undo() {
    if (!isOff(this.frame.undo)) return this.attempt(async () => this.take(await api.post("game/undo", this.shownGame())));
  }

  async setStrength(simulations) {
    this.remember({ simulations });
    await this.attempt(async () => this.take(await api.post("game/settings", { simulations, game_id: this.state?.game_id })));
  }

  async hint() {
    if (isOff(this.frame.hint)) return;
    await this.attempt(async () => {
      this.shownPly = null;
      this.analyses.delete(this.state.ply); // there may be a newer model
      const { best, moves } = await this.analysisOf(this.state.ply);
      this.hinted = best;
      this.frame.note.textContent = `Hint: ${moves.find((move) => move.action === best).name}.`;
    });
  }

  async toggleAnalysis() {
    if (isOff(this.frame.analyse)) return;
    this.remember({ analysis: !this.settings.analysis });
    this.frame.analyse.setAttribute("aria-pressed", String(this.settings.analysis));
    await this.attempt(() => this.analyseShown());
  }

  /** Take over a game state from the server. */
  async take(state, animate = false) {
    const info = await api.info(state.game);
    if (this.closed) return;
    if (info !== this.info) {
      this.info = info;
      this.frame.board.replaceChildren();
      dress(this.frame.root, info);
      this.board = new Board(this.frame.board, info, (action, choice) => this.play(action, choice));
    }
    if (!this.state || !goesOn(this.state, state)) this.analyses.clear();
    if (state.simulations !== this.settings.simulations && this.pending === 1) {
      this.remember({ simulations: state.simulations }); // another tab has set them; game and seat may be chosen for the next game
      this.form.show(this.settings);
    }
    this.state = state;
    this.animate = animate;
    this.shownPly = null;
    this.hinted = null;
    if (this.frame.note.textContent !== this.remarked) this.frame.note.textContent = ""; // the remark may be the same again
    this.plies = (await api.get("game/moves", { game_id: state.game_id })).plies;
    const replies = state.bot_moves?.length ?? 0;
    const names = this.plies.slice(state.ply - replies, state.ply).map((ply) => ply.name);
    const said = names.length > 1 ? this.frame.note : this.frame.spoken; // the board shows one move by itself
    this.frame.spoken.textContent = "";
    said.textContent = reply(names);
    await this.analyseShown();
  }

  /** Ask for the analysis of the shown position, if analyses are wanted. */
  async analyseShown() {
    const ply = this.shownPly ?? this.state.ply;
    if (this.settings.analysis && !(this.state.game_over && ply === this.state.ply)) await this.analysisOf(ply);
  }

  async analysisOf(ply) {
    const { game_id, moves } = this.state;
    if (!this.analyses.has(ply)) this.analyses.set(ply, await api.get("game/analysis", { ply, game_id, moves: moves.join(".") }));
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
    const marks = analysis ? Object.fromEntries(analysis.moves.map((move) => [move.action, move])) : {};
    const yours = now && !state.game_over && state.current_player === state.human_player;
    this.board.draw({
      cells: position.board,
      choices: now ? state.choices : [],
      marks,
      best: now && this.hinted !== null ? this.hinted : analysis?.best,
      last: newest(info, this.plies, ply),
      line: now ? state.winning_line : [],
      mover: position.mover,
      playable: yours && this.pending === 0,
      animate: this.animate,
    });
    this.animate = false;
    const again = this.plies[ply - 1]?.mover === state.human_player;
    write(this.frame.status, now ? standing(state, info, again) : `Looking back: after ${ply} of ${counted(state.ply, "move")}.`);
    const free = ["", this.remarked].includes(this.frame.note.textContent); // it says nothing of the last action
    if (now && free) write(this.frame.note, (this.remarked = remark(state)));
    switchOff(this.frame.undo, !this.plies.slice(0, state.ply).some((position) => position.mover === state.human_player));
    switchOff(this.frame.hint, !yours);
    switchOff(this.frame.analyse, false);
    this.drawValue(ply, analysis);
    this.frame.analysis.draw(info, analysis);
    this.frame.moves.draw(info, this.plies, ply);
  }

  drawValue(ply, analysis) {
    const { state, info } = this;
    const ended = state.game_over && ply === state.ply;
    const value = ended ? { 1: 1, 2: -1, 3: 0 }[state.winner] : firstValue(this.plies, ply, analysis);
    const score = this.plies[ply]?.score;
    this.frame.value.draw(info, value, ended ? resultWords(info, state.winner, score) : valueWords(info, value, score));
  }

  key(event) {
    if (typing(event) || !this.state || (event.repeat && !event.key.startsWith("Arrow"))) return;
    if (event.key.length === 1 && !this.settings.keys) return; // speech input types stray letters
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
    const column = this.info.board_type === "drop_column" && /^[1-9]$/.test(key) ? Number(key) - 1 : -1;
    if (column >= 0) this.board.click(column);
    else if (key in keys) keys[key]();
    else return;
    event.preventDefault();
  }

  remember(changes) {
    Object.assign(this.settings, changes);
    memory.set("play", JSON.stringify(this.settings));
  }
}
