// A board, drawn as SVG. It knows where the cells are and which action a click means, but not whose turn it is.
//
// draw({cells, legal, changes, marks, best, last, line, mover, playable, animate})
//   cells     each cell's owner: 0 empty, 1 first player, 2 second player
//   legal     the actions that may be played
//   changes   action -> the cells it changes, the new stone's first (for the preview under the pointer)
//   marks     action -> {share, prior}: drawn on the cell of the action's stone
//   best      the action to recommend
//   last      the cell of the newest stone
//   line      the cells of the line that won
//   mover     the player to move
//   playable  whether clicks and keys may play
//   animate   whether new and flipped stones move

import { svg } from "../base/dom.js";
import { cellName, percent } from "../base/format.js";

const UNIT = 100;
const MARGIN = 34; // for the names of columns and rows

export class Board {
  constructor(holder, info, onplay) {
    this.info = info;
    this.onplay = onplay;
    this.columns = info.board_type === "drop_column";
    this.size = info.board_width * info.board_height;
    this.state = { cells: new Array(this.size).fill(0), legal: [], changes: {} };
    this.focus = this.columns ? Math.floor(info.board_width / 2) : 0;
    this.under = null;
    const [width, height] = [info.board_width * UNIT, info.board_height * UNIT];
    this.layers = Object.fromEntries(
      ["ground", "stones", "marks", "preview", "targets"].map((name) => [name, svg("g", { class: name })]),
    );
    this.named = this.columns || info.board_width > 3;
    const [left, below] = [this.named && !this.columns ? MARGIN : 6, this.named ? MARGIN : 6];
    this.root = svg(
      "svg",
      { class: `board ${info.env_id}`, viewBox: `${-left} -6 ${width + left + 6} ${height + below + 6}`, role: "group" },
      ...Object.values(this.layers),
    );
    this.root.setAttribute("aria-label", `${info.display_name} board`);
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("pointerleave", () => this.preview(null));
    holder.append(this.root);
    this.ground(width, height);
    this.targets();
  }

  /** The middle of a cell. */
  middle(cell) {
    const { board_width: width, board_height: height, bottom_row_first: flipped } = this.info;
    const row = Math.floor(cell / width);
    return [((cell % width) + 0.5) * UNIT, ((flipped ? height - 1 - row : row) + 0.5) * UNIT];
  }

  draw(state) {
    const before = this.state.cells;
    this.state = { legal: [], changes: {}, marks: {}, line: [], ...state };
    const stones = [];
    this.state.cells.forEach((owner, cell) => {
      if (!owner) return;
      const stone = this.stone(cell, owner);
      if (this.state.animate && before[cell] !== owner) {
        stone.classList.add(before[cell] ? "flipped" : "placed");
        if (this.columns) stone.style.setProperty("--fall", `${-this.middle(cell)[1] - UNIT / 2}px`);
      }
      if (cell === this.state.last) stone.append(svg("circle", { class: "last", r: 9 }));
      if (this.state.line.includes(cell)) stone.classList.add("won");
      stones.push(stone);
    });
    this.layers.stones.replaceChildren(...stones);
    this.root.classList.toggle("decided", this.state.line.length > 0);
    this.root.classList.toggle("playable", Boolean(this.state.playable));
    this.marks();
    this.describe();
    this.preview(this.under);
  }

  /** Accept no move until the next `draw`. */
  freeze() {
    this.state.playable = false;
    this.describe();
    this.preview(null);
  }

  stone(cell, owner) {
    const [x, y] = this.middle(cell);
    const place = svg("g", { class: `stone p${owner}`, transform: `translate(${x} ${y})` });
    const body = svg("g", { class: "body" });
    if (this.info.env_id === "tictactoe") {
      body.append(
        owner === 1 ? svg("path", { class: "stroke", d: "M-24 -24 24 24M24 -24-24 24" }) : svg("circle", { class: "stroke", r: 27 }),
      );
    } else {
      body.append(svg("circle", { class: "disc", r: 39 }), svg("circle", { class: "rim", r: 30 }));
      body.append(svg("text", { class: "letter", y: 1 }, this.info.player_symbols[owner - 1]));
    }
    place.append(body);
    place.dataset.cell = cell;
    return place;
  }

  /** The cell where an action puts its stone; null for a pass. */
  target(action) {
    return this.state.changes[action]?.[0] ?? (this.columns || action >= this.size ? null : action);
  }

  marks() {
    const { marks, legal, best, playable, cells } = this.state;
    const drawn = [];
    const line = this.named ? 24 : 14;
    for (const [action, { share, prior }] of Object.entries(marks ?? {})) {
      const cell = this.target(Number(action));
      if (cell === null || cells[cell] || share === null) continue;
      const [x, y] = this.middle(cell);
      const mark = svg("g", { class: `mark${Number(action) === best ? " best" : ""}`, transform: `translate(${x} ${y})` });
      mark.dataset.action = action;
      mark.append(svg("circle", { r: 8 + 34 * Math.sqrt(share) }));
      if (share >= 0.005) mark.append(svg("text", { class: "share", y: prior === undefined ? 1 : -0.35 * line }, percent(share)));
      if (prior !== undefined) mark.append(svg("text", { class: "prior", y: 0.75 * line }, percent(prior)));
      drawn.push(mark);
    }
    if (!drawn.length && playable && !this.columns && this.info.env_id !== "tictactoe") {
      for (const action of legal) {
        if (action >= this.size) continue;
        const [x, y] = this.middle(action);
        drawn.push(svg("circle", { class: "may", cx: x, cy: y, r: 9 }));
      }
    }
    if (!drawn.some((mark) => mark.classList.contains("best")) && best !== null && best !== undefined) {
      const cell = this.target(best);
      if (cell !== null) {
        const [x, y] = this.middle(cell);
        drawn.push(svg("circle", { class: "hint", cx: x, cy: y, r: 40 }));
      }
    }
    this.layers.marks.replaceChildren(...drawn);
  }

  /** Show what the action under the pointer or the focus would do. */
  preview(action) {
    this.under = action;
    const drawn = [];
    for (const mark of this.layers.marks.children) mark.classList.toggle("covered", Number(mark.dataset.action ?? -1) === action);
    if (action !== null && this.state.playable && this.state.legal.includes(action)) {
      const [first, ...others] = this.state.changes[action] ?? [];
      if (first !== undefined) {
        const ghost = this.stone(first, this.state.mover);
        ghost.classList.add("ghost");
        drawn.push(ghost);
      }
      for (const cell of others) {
        const [x, y] = this.middle(cell);
        drawn.push(svg("circle", { class: "turns", cx: x, cy: y, r: 43 }));
      }
    }
    this.layers.preview.replaceChildren(...drawn);
  }

  ground(width, height) {
    const parts = [svg("rect", { class: "plate", x: -6, y: -6, width: width + 12, height: height + 12, rx: 18 })];
    if (this.columns) {
      for (let cell = 0; cell < this.size; cell += 1) {
        const [x, y] = this.middle(cell);
        parts.push(svg("circle", { class: "hole", cx: x, cy: y, r: 39 }));
      }
    } else {
      for (let at = 1; at < this.info.board_width; at += 1)
        parts.push(svg("line", { class: "rule", x1: at * UNIT, x2: at * UNIT, y1: 0, y2: height }));
      for (let at = 1; at < this.info.board_height; at += 1)
        parts.push(svg("line", { class: "rule", y1: at * UNIT, y2: at * UNIT, x1: 0, x2: width }));
    }
    const name = (x, y, text) => parts.push(svg("text", { class: "coordinate", x, y }, text));
    if (this.named) {
      for (let at = 0; at < this.info.board_width; at += 1)
        name((at + 0.5) * UNIT, height + 22, this.columns ? at + 1 : cellName(this.info, at)[0]);
      for (let at = 0; at < this.info.board_height && !this.columns; at += 1) name(-21, (at + 0.5) * UNIT, at + 1);
    }
    this.layers.ground.append(...parts);
  }

  /** The parts that can be clicked and focused: cells or columns. */
  targets() {
    const { board_width: width, board_height: height } = this.info;
    const actions = this.columns ? width : this.size;
    this.buttons = Array.from({ length: actions }, (_, action) => {
      const [x, y] = this.columns ? [(action + 0.5) * UNIT, (height * UNIT) / 2] : this.middle(action);
      const tall = this.columns ? height * UNIT : UNIT;
      const button = svg("g", { class: "target", role: "button", tabindex: action === this.focus ? 0 : -1 });
      button.append(svg("rect", { x: x - 46, y: y - tall / 2 + 4, width: 92, height: tall - 8, rx: 12 }));
      button.dataset.action = action;
      button.addEventListener("click", () => this.play(action));
      button.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && this.preview(action));
      button.addEventListener("focus", () => {
        this.move(action);
        this.preview(action);
      });
      button.addEventListener("blur", () => this.preview(null));
      return button;
    });
    this.layers.targets.append(...this.buttons);
  }

  describe() {
    const { cells, legal, playable, marks } = this.state;
    const names = ["empty", ...this.info.player_names];
    this.buttons.forEach((button, action) => {
      const open = Boolean(playable && legal.includes(action));
      button.setAttribute("aria-disabled", String(!open));
      button.classList.toggle("open", open);
      const share = marks?.[action]?.share ?? null;
      const extra = share === null ? "" : `, share ${percent(share)}`;
      if (this.columns) {
        const column = cells.filter((_, cell) => cell % this.info.board_width === action);
        const stones = (this.info.bottom_row_first ? column : column.reverse()).filter((owner) => owner);
        const held = stones.length ? `from the bottom ${stones.map((owner) => names[owner]).join(", ")}` : "empty";
        button.setAttribute("aria-label", `Column ${action + 1}, ${held}${open ? ", playable" : ""}${extra}`);
      } else {
        button.setAttribute("aria-label", `${cellName(this.info, action)}, ${names[cells[action]]}${open ? ", playable" : ""}${extra}`);
      }
    });
  }

  play(action) {
    if (this.state.playable && this.state.legal.includes(action)) this.onplay(action);
  }

  /** Make an action the one that Tab reaches. */
  move(action) {
    this.buttons[this.focus].setAttribute("tabindex", -1);
    this.focus = action;
    this.buttons[action].setAttribute("tabindex", 0);
  }

  key(event) {
    const width = this.info.board_width;
    const up = this.info.bottom_row_first ? width : -width;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: this.columns ? 0 : up, ArrowDown: this.columns ? 0 : -up };
    if (event.key === "Enter" || event.key === " ") {
      this.play(this.focus);
    } else if (event.key in steps) {
      const next = this.focus + steps[event.key];
      const sameRow = Math.floor(next / width) === Math.floor(this.focus / width);
      const sideways = Math.abs(steps[event.key]) === 1;
      if (next >= 0 && next < this.buttons.length && (sameRow || !sideways)) this.buttons[next].focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

/** The cell where each action puts its stone: the lowest empty one of a column, else the cell itself. No flips. */
export function landing(info, board, actions) {
  const cellOf = (action) => {
    if (info.board_type !== "drop_column") return action < board.length ? action : undefined;
    for (let cell = action; cell < board.length; cell += info.board_width) if (!board[cell]) return cell;
    return undefined;
  };
  return Object.fromEntries(actions.map((action) => [action, [cellOf(action)].filter((cell) => cell !== undefined)]));
}
