// Boards of squares, plain or chequered. Other boards change what differs.
//
// A layout knows where things are, in units of which a cell has 100:
//   box            [x, y, width, height] of the whole drawing
//   targets        what can be clicked and focused: cells, or columns
//   middle(cell)   the middle of a cell
//   spot(target)   the middle of a target
//   outline(target, inset)  its shape
//   ground()       the empty board
//   stone(cell, code)       a piece, around its own origin
//   content(cell, code)     the same in words

import { svg } from "../base/dom.js";
import { coordinates, labelScale } from "./labels.js";
import { Pieces } from "./pieces.js";

export const UNIT = 100;

export class Squares {
  constructor(info) {
    this.info = info;
    this.pieces = new Pieces(info);
    this.columns = info.board_width;
    this.rows = info.board_height;
    this.width = this.columns * UNIT;
    this.height = this.rows * UNIT;
    this.targets = Array.from({ length: this.columns * this.rows }, (_, cell) => cell);
    this.scale = labelScale(this.columns, this.rows);
    this.names = this.columns > 3 ? coordinates(info) : null;
  }

  get box() {
    const margin = this.names ? 12 + 26 * this.scale : 6;
    return [-margin, -6, this.width + margin + 6, this.height + margin + 6];
  }

  /** The row of a cell, counted from the top of the drawing. */
  row(cell) {
    const row = Math.floor(cell / this.columns);
    return this.info.bottom_row_first ? this.rows - 1 - row : row;
  }

  column(cell) {
    return cell % this.columns;
  }

  middle(cell) {
    return [(this.column(cell) + 0.5) * UNIT, (this.row(cell) + 0.5) * UNIT];
  }

  spot(target) {
    return this.middle(target);
  }

  outline(target, inset = 4) {
    const [x, y] = this.middle(target);
    const side = UNIT - 2 * inset;
    return svg("rect", { x: x - side / 2, y: y - side / 2, width: side, height: side, rx: inset && 12 });
  }

  stone(cell, code) {
    return this.pieces.draw(code);
  }

  content(cell, code) {
    return this.pieces.words(code);
  }

  ground() {
    return [this.plate(), ...this.lines(), ...this.labels()];
  }

  plate() {
    return svg("rect", { class: "plate", x: -6, y: -6, width: this.width + 12, height: this.height + 12, rx: 18 });
  }

  lines() {
    const lines = [];
    for (let at = 1; at < this.columns; at += 1)
      lines.push(svg("line", { class: "rule", x1: at * UNIT, x2: at * UNIT, y1: 0, y2: this.height }));
    for (let at = 1; at < this.rows; at += 1)
      lines.push(svg("line", { class: "rule", y1: at * UNIT, y2: at * UNIT, x1: 0, x2: this.width }));
    return lines;
  }

  /** The names of the columns below the board, and of the rows to its left. */
  labels() {
    if (!this.names) return [];
    const middle = 9 + 13 * this.scale;
    return [
      ...this.names.columns.map((name, at) => label(this.middle(at)[0], this.height + middle, name)),
      ...this.names.rows.map((name, at) => label(1 - middle, this.middle(at * this.columns)[1], name)),
    ];
  }
}

export const label = (x, y, text) => svg("text", { class: "coordinate", x, y }, text);

export class Chequers extends Squares {
  outline(target, inset = 3) {
    const [x, y] = this.middle(target);
    const side = UNIT - 2 * inset;
    return svg("rect", { x: x - side / 2, y: y - side / 2, width: side, height: side });
  }

  lines() {
    const dark = this.targets.filter((cell) => (this.row(cell) + this.column(cell) + this.rows) % 2 === 0);
    return [
      svg("rect", { class: "light", x: 0, y: 0, width: this.width, height: this.height }),
      ...dark.map((cell) => {
        const square = this.outline(cell, 0);
        square.setAttribute("class", "dark");
        return square;
      }),
    ];
  }
}
