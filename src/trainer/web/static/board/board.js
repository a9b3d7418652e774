// A board, drawn as SVG, with buttons below for moves that can't be clicked on it. It knows what clicks mean, but not whose
// turn it is.
//
// draw({cells, choices, marks, best, last, line, mover, playable, animate})
//   cells     each cell's code: 0 empty, 1 the first player's piece, 2 the second player's, ...
//   choices   the legal moves: [{action, name, cells, changes, codes}], as in a game state
//   marks     action -> {share, prior}
//   best      the action to recommend
//   last      the cells of the newest moves
//   line      the cells of the line that won
//   mover     the player to move
//   playable  whether clicks and keys may play
//   animate   whether new and changed pieces move

import { dress, el, svg } from "../base/dom.js";
import { percent } from "../base/format.js";
import { travels } from "./cells.js";
import { Choice } from "./choice.js";
import { Columns } from "./columns.js";
import { Edges } from "./edges.js";
import { Hexagons } from "./hexagons.js";
import { Marks } from "./marks.js";
import { Points } from "./points.js";
import { nextInDirection } from "./steps.js";
import { Chequers, Squares } from "./squares.js";

const LAYOUTS = { grid: Squares, pieces: Chequers, drop_column: Columns, hex: Hexagons, edges: Edges, points: Points };
const LAYERS = ["ground", "under", "stones", "marks", "preview", "targets"];

export class Board {
  /** `onplay(action, choice)` is called when a move has been chosen. */
  constructor(holder, info, onplay) {
    this.info = info;
    this.onplay = onplay;
    this.layout = new (LAYOUTS[info.board_type] ?? Squares)(info);
    this.marker = new Marks(this.layout);
    this.choice = new Choice();
    this.travels = travels(info);
    this.state = { cells: new Array(info.board_width * info.board_height).fill(0), choices: [], marks: {}, last: [], line: [] };
    this.focus = info.board_type === "drop_column" ? Math.floor(info.board_width / 2) : this.layout.targets[0];
    this.under = null;
    this.layers = Object.fromEntries(LAYERS.map((name) => [name, svg("g", { class: name })]));
    this.root = svg(
      "svg",
      { class: `board ${info.board_type}`, viewBox: this.layout.box.join(" "), role: "group", "aria-label": `${info.display_name} board` },
      ...Object.values(this.layers),
    );
    dress(this.root, info);
    this.root.style.setProperty("--label", `${20 * this.layout.scale}px`);
    this.root.classList.toggle("small", info.board_width <= 3);
    this.root.classList.toggle("dense", this.marker.dense);
    this.root.classList.toggle("strokes", this.layout.pieces.strokes);
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("pointerleave", () => this.preview(null));
    this.moves = el("div", { class: "choices", role: "group", "aria-label": "Moves", hidden: true });
    this.moves.addEventListener("keydown", (event) => event.key === "Escape" && this.drop());
    holder.append(this.root, this.moves);
    this.layers.ground.append(...this.layout.ground());
    this.buttons = new Map(this.layout.targets.map((target) => [target, this.button(target)]));
    this.layers.targets.append(...this.buttons.values());
  }

  /** A part that can be clicked and focused: a cell or a column. */
  button(target) {
    const button = svg("g", { class: "target", role: "button", tabindex: target === this.focus ? 0 : -1 }, this.layout.outline(target));
    button.dataset.target = target;
    button.addEventListener("click", () => this.click(target));
    button.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && this.preview(target));
    button.addEventListener("focus", () => {
      this.move(target);
      this.preview(target);
    });
    button.addEventListener("blur", () => this.preview(null));
    return button;
  }

  draw(state) {
    const before = this.state.cells;
    this.state = { choices: [], marks: {}, line: [], last: [], ...state };
    this.choice.offer(this.state.playable ? this.state.choices : []);
    const stones = [];
    this.state.cells.forEach((code, cell) => {
      if (code) stones.push(this.stone(cell, code, this.state.animate && before[cell] !== code ? before[cell] : null));
    });
    this.layers.stones.replaceChildren(...stones);
    this.root.classList.toggle("decided", this.state.line.length > 0);
    this.root.classList.toggle("playable", Boolean(this.state.playable));
    this.refresh();
  }

  /** A piece in its place. `was`: the code that was there, if the piece shall appear now. */
  stone(cell, code, was = null) {
    const [x, y] = this.layout.middle(cell);
    const stone = svg("g", { class: `stone p${this.layout.pieces.owner(code)}`, transform: `translate(${x} ${y})` });
    stone.dataset.cell = cell;
    stone.append(this.layout.stone(cell, code));
    if (was !== null) {
      stone.classList.add(was && !this.travels ? "flipped" : "placed");
      stone.style.setProperty("--fall", `${-y - 50}px`);
    }
    if (this.state.last.includes(cell)) {
      stone.classList.add("newest");
      if (!this.travels && this.info.board_type !== "edges") stone.append(svg("circle", { class: "last", r: 9 }));
    }
    if (this.state.line.includes(cell)) stone.classList.add("won");
    return stone;
  }

  /** Draw again what depends on the clicks so far. */
  refresh() {
    const { choice, state } = this;
    const shape = (cell, name) => {
      const outline = this.layout.outline(cell, this.info.board_type === "pieces" ? 0 : 4);
      outline.setAttribute("class", name);
      return outline;
    };
    this.layers.under.replaceChildren(
      ...(this.travels ? state.last.map((cell) => shape(cell, "moved")) : []),
      ...choice.clicked.map((cell) => shape(cell, "chosen")),
    );
    this.layers.marks.replaceChildren(...this.marker.draw(state, choice));
    this.offer();
    this.describe();
    this.preview(this.under);
  }

  /** Accept no move until the next `draw`. */
  freeze() {
    this.state.playable = false;
    this.choice.offer([]);
    this.under = null; // until the pointer moves again, so that no preview looks like the piece that was just played
    this.refresh();
  }

  /** Show the moves that aren't cells as buttons. */
  offer() {
    const moves = this.choice.buttons;
    const forced = this.choice.clicked.length > 0 || moves.length === this.choice.moves.length;
    const focused = this.moves.contains(document.activeElement);
    this.moves.hidden = !moves.length;
    this.moves.replaceChildren(
      ...moves.map((move) => {
        const name = move.name.charAt(0).toUpperCase() + move.name.slice(1);
        const label = this.choice.clicked.length ? move.name : name;
        return el("button", { type: "button", class: forced ? "primary" : null, "data-action": move.action, onclick: () => this.onplay(move.action, move) }, label);
      }),
    );
    if (focused && !moves.length) this.buttons.get(this.focus).focus();
  }

  click(target) {
    if (!this.state.playable) return;
    const decided = this.choice.click(target);
    if (decided) {
      this.onplay(decided.action, decided);
      return;
    }
    this.refresh();
    if (this.choice.clicked.length) this.moves.querySelector("button")?.focus();
  }

  /** Forget the clicks so far. */
  drop() {
    this.choice.drop();
    this.refresh();
    this.buttons.get(this.focus).focus();
  }

  /** Show what a click on a target would do. */
  preview(target) {
    this.under = target;
    const { cells, playable } = this.state;
    const moves = target !== null && playable ? this.choice.through(target) : [];
    for (const mark of this.layers.marks.children) mark.classList.toggle("covered", moves.some((move) => this.covers(mark, move)));
    const drawn = [];
    const ring = (cell) => {
      const [x, y] = this.layout.middle(cell);
      drawn.push(svg("circle", { class: "turns", cx: x, cy: y, r: this.layout.pieces.radius + 4 }));
    };
    if (moves.length === 1 && moves[0].cells.length === this.choice.clicked.length + 1) {
      moves[0].changes.forEach((cell, at) => {
        const code = moves[0].codes[at];
        if (code && !cells[cell]) drawn.push(this.ghost(cell, code));
        else if (!this.choice.clicked.includes(cell)) ring(cell);
      });
    } else if (moves.length && this.choice.clicked.length) ring(target);
    this.layers.preview.replaceChildren(...drawn);
  }

  /** Whether the preview of a move hides a mark. */
  covers(mark, move) {
    return mark.dataset.cell !== undefined && move.changes.includes(Number(mark.dataset.cell));
  }

  ghost(cell, code) {
    const ghost = this.stone(cell, code);
    ghost.classList.add("ghost");
    ghost.classList.remove("newest", "won");
    return ghost;
  }

  describe() {
    const { cells, playable } = this.state;
    const shares = this.shares();
    const [open, next] = [this.choice.open, this.choice.next];
    const started = this.choice.clicked.length > 0;
    for (const [target, button] of this.buttons) {
      const isOpen = Boolean(playable && open.has(target));
      const chosen = this.choice.clicked.includes(target);
      button.setAttribute("aria-disabled", String(!isOpen));
      button.classList.toggle("open", isOpen);
      if (this.travels) button.setAttribute("aria-pressed", String(chosen));
      const holds = this.layout.holds?.(target, cells) ?? this.layout.content(target, cells[target]);
      const name = this.info.board_type === "drop_column" ? `Column ${this.info.target_names[target]}` : this.info.target_names[target];
      const words = chosen ? ", chosen" : !isOpen ? "" : this.travels && !(started && next.has(target)) ? ", can move" : ", playable";
      const share = shares.has(target) ? `, share ${percent(shares.get(target))}` : "";
      button.setAttribute("aria-label", `${name}, ${holds}${words}${share}`);
    }
  }

  /** By target, the share of all moves there; none if pieces go from cell to cell. */
  shares() {
    const shares = new Map();
    for (const [action, { share }] of Object.entries(this.travels ? {} : this.state.marks)) {
      const target = this.info.action_cells[action]?.[0];
      if (share !== null && target !== undefined) shares.set(target, (shares.get(target) ?? 0) + share);
    }
    return shares;
  }

  /** Make a target the one that Tab reaches. */
  move(target) {
    this.buttons.get(this.focus).setAttribute("tabindex", -1);
    this.focus = target;
    this.buttons.get(target).setAttribute("tabindex", 0);
  }

  key(event) {
    if (event.key === "Enter" || event.key === " ") {
      this.click(this.focus);
    } else if (event.key === "Escape" && this.choice.clicked.length) {
      this.drop();
    } else if (event.key.startsWith("Arrow")) {
      const next = nextInDirection(this.layout, this.focus, event.key);
      if (next !== null) this.buttons.get(next).focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
