// A board of columns, into which stones fall.

import { svg } from "../base/dom.js";
import { Squares, UNIT, label } from "./squares.js";

export class Columns extends Squares {
  constructor(info) {
    super(info);
    this.targets = Array.from({ length: this.columns }, (_, column) => column);
  }

  get box() {
    return [-6, -6, this.width + 12, this.height + 18 + 26 * this.scale];
  }

  spot(column) {
    return [(column + 0.5) * UNIT, this.height / 2];
  }

  outline(column, inset = 4) {
    const [x, y] = this.spot(column);
    const [width, height] = [UNIT - 2 * inset, this.height - 2 * inset];
    return svg("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 12 });
  }

  lines() {
    return Array.from({ length: this.columns * this.rows }, (_, cell) => {
      const [x, y] = this.middle(cell);
      return svg("circle", { class: "hole", cx: x, cy: y, r: 39 });
    });
  }

  labels() {
    const y = this.height + 9 + 13 * this.scale;
    return this.info.target_names.map((name, column) => label((column + 0.5) * UNIT, y, name));
  }

  /** A column's stones in words, from the bottom. */
  holds(column, cells) {
    const codes = cells.filter((code, cell) => code && this.column(cell) === column);
    if (!this.info.bottom_row_first) codes.reverse();
    return codes.length ? `from the bottom ${codes.map((code) => this.pieces.words(code)).join(", ")}` : "empty";
  }
}
