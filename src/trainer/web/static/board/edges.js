// Dots, the edges between them, and the boxes that edges enclose. Dots are where row and column are even, boxes where both are
// odd.

import { svg } from "../base/dom.js";
import { Squares, UNIT, label } from "./squares.js";

const REACH = 0.86 * UNIT; // from the middle of an edge to its end

export class Edges extends Squares {
  constructor(info) {
    super(info);
    this.dots = this.targets.filter((cell) => this.kind(cell) === "dot");
    // The edges come last, because their shapes overlap those of the boxes.
    this.targets = ["box", "edge"].flatMap((kind) => this.targets.filter((cell) => this.kind(cell) === kind));
    this.width = (this.columns - 1) * UNIT;
    this.height = (this.rows - 1) * UNIT;
  }

  get box() {
    const margin = 34 + (this.names ? 28 * this.scale : 0);
    return [-margin, -30, this.width + margin + 30, this.height + margin + 30];
  }

  kind(cell) {
    const [row, column] = [this.row(cell) % 2, this.column(cell) % 2];
    return row && column ? "box" : row || column ? "edge" : "dot";
  }

  middle(cell) {
    return [this.column(cell) * UNIT, this.row(cell) * UNIT];
  }

  /** Whether an edge runs from left to right. */
  lies(cell) {
    return this.row(cell) % 2 === 0;
  }

  outline(target, inset = 4) {
    const [x, y] = this.middle(target);
    if (this.kind(target) === "box") {
      const side = 2 * UNIT - 44 - 2 * inset;
      return svg("rect", { x: x - side / 2, y: y - side / 2, width: side, height: side, rx: 14 });
    }
    const [long, short] = [UNIT - 2 * inset, 0.62 * UNIT - inset];
    const [across, down] = this.lies(target) ? [long, short] : [short, long];
    return svg("polygon", { points: `${x - across},${y} ${x},${y - down} ${x + across},${y} ${x},${y + down}` });
  }

  plate() {
    const around = 28;
    return svg("rect", { class: "plate", x: -around, y: -around, width: this.width + 2 * around, height: this.height + 2 * around, rx: 18 });
  }

  lines() {
    const edges = this.targets.filter((cell) => this.kind(cell) === "edge");
    const dot = ([x, y]) => svg("circle", { class: "dot", cx: x, cy: y, r: 11 });
    return [
      ...edges.map((cell) => {
        const [x, y] = this.middle(cell);
        return svg("g", { transform: `translate(${x} ${y})` }, this.line(cell, "open"));
      }),
      ...this.dots.map((cell) => dot(this.middle(cell))),
    ];
  }

  line(cell, name) {
    const [x, y] = this.lies(cell) ? [REACH, 0] : [0, REACH];
    return svg("line", { class: `edge ${name}`, x1: -x, x2: x, y1: -y, y2: y });
  }

  stone(cell, code) {
    if (this.kind(cell) === "edge") return this.line(cell, "drawn");
    const half = UNIT - 16;
    return svg(
      "g",
      { class: "body" },
      svg("rect", { class: "owned", x: -half, y: -half, width: 2 * half, height: 2 * half, rx: 10 }),
      svg("text", { class: "letter", y: 1 }, this.info.symbols[code] ?? "?"),
    );
  }

  content(cell, code) {
    if (this.kind(cell) === "box") return code ? `box of ${this.pieces.words(code)}` : "open box";
    return code ? "drawn" : "not drawn";
  }

  labels() {
    if (!this.names) return [];
    const away = 34 + 14 * this.scale;
    return [
      ...this.names.columns.map((name, at) => label(at * UNIT, this.height + away, name)),
      ...this.names.rows.map((name, at) => label(-away, this.middle(at * this.columns)[1], name)),
    ];
  }
}
