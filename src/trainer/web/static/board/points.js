// A board of lines, on whose crossings stones are put.

import { svg } from "../base/dom.js";
import { Squares, UNIT } from "./squares.js";

const STARS = { 9: [2, 4, 6], 13: [3, 6, 9], 19: [3, 9, 15] };

export class Points extends Squares {
  constructor(info) {
    super(info);
    this.pieces.radius = 46;
    this.pieces.lettered = !["Black", "White"].every((name) => info.player_names.includes(name));
  }

  outline(target, inset = 4) {
    const [x, y] = this.middle(target);
    return svg("circle", { cx: x, cy: y, r: UNIT / 2 - inset });
  }

  lines() {
    const half = UNIT / 2;
    const line = (x1, x2, y1, y2) => svg("line", { class: "rule", x1, x2, y1, y2 });
    const across = Array.from({ length: this.rows }, (_, at) => line(half, this.width - half, half + at * UNIT, half + at * UNIT));
    const down = Array.from({ length: this.columns }, (_, at) => line(half + at * UNIT, half + at * UNIT, half, this.height - half));
    return [...across, ...down, ...this.stars()];
  }

  stars() {
    const [columns, rows] = [STARS[this.columns] ?? [], STARS[this.rows] ?? []];
    const star = (column, row) => svg("circle", { class: "star", cx: (column + 0.5) * UNIT, cy: (row + 0.5) * UNIT, r: 9 });
    return columns.flatMap((column) => rows.map((row) => star(column, row)));
  }
}
