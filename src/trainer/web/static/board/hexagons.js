// A board of hexagons in a rhombus: each row is half a cell further to the right than the one above.

import { svg } from "../base/dom.js";
import { labelScale } from "./labels.js";
import { Squares, UNIT, label } from "./squares.js";

const HALF = UNIT / 2;
const RADIUS = UNIT / Math.sqrt(3); // from the middle to a corner; a corner is at the top

export class Hexagons extends Squares {
  constructor(info) {
    super(info);
    this.pieces.radius = 37;
    this.width += (this.rows - 1) * HALF;
    this.height = (1.5 * (this.rows - 1) + 2) * RADIUS;
    this.scale = labelScale(this.columns + this.rows / 2, this.rows);
    this.around = info.owned_sides ? 14 : 4;
  }

  get box() {
    const [left, top] = [34, 24].map((room) => this.around + (this.names ? room * this.scale : 0));
    return [-left, -top, this.width + left + this.around, this.height + top + this.around];
  }

  middle(cell) {
    const row = this.row(cell);
    return [(this.column(cell) + 0.5 * row + 0.5) * UNIT, RADIUS * (1 + 1.5 * row)];
  }

  outline(target, inset = 3) {
    const size = 1 - inset / HALF;
    return svg("polygon", { points: text(corners(this.middle(target), size)) });
  }

  plate() {
    return svg("g", { class: "sides" }, ...(this.info.owned_sides ? this.sides() : []));
  }

  lines() {
    return this.targets.map((cell) => svg("polygon", { class: "hexagon", points: text(corners(this.middle(cell), 1)) }));
  }

  /** The upper and the lower side in the first player's colour, the others in the second's. */
  sides() {
    const [top, bottom] = [0, this.rows - 1].map((row) => this.targets.filter((cell) => this.row(cell) === row));
    const inOrder = [...this.targets].sort((one, other) => this.row(one) - this.row(other));
    const [left, right] = [0, this.columns - 1].map((column) => inOrder.filter((cell) => this.column(cell) === column));
    const side = (player, cells, chosen) => {
      const points = cells.flatMap((cell) => chosen.map((at) => corners(this.middle(cell), 1)[at]));
      return svg("polyline", { class: `side p${player}`, points: text(points) });
    };
    return [side(2, left, [5, 4]), side(2, right, [1, 2]), side(1, top, [5, 0, 1]), side(1, bottom, [4, 3, 2])];
  }

  labels() {
    if (!this.names) return [];
    const away = this.around + 12 * this.scale;
    return [
      ...this.names.columns.map((name, at) => {
        const top = this.targets.find((cell) => this.row(cell) === 0 && this.column(cell) === at);
        return label(this.middle(top)[0], -away, name);
      }),
      ...this.names.rows.map((name, at) => {
        const [x, y] = this.middle(at * this.columns);
        return label(x - HALF - away - 5 * this.scale, y, name);
      }),
    ];
  }
}

/** The corners of a hexagon, clockwise from the top. */
function corners([x, y], size) {
  const [half, radius] = [HALF * size, RADIUS * size];
  return [[x, y - radius], [x + half, y - radius / 2], [x + half, y + radius / 2], [x, y + radius], [x - half, y + radius / 2], [x - half, y - radius / 2]];
}

const text = (points) => points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join(" ");
