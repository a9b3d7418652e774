// What is drawn over the pieces: each move's share as a circle or an arrow, where one may click, the hint.

import { svg } from "../base/dom.js";
import { percent } from "../base/format.js";
import { landing } from "./cells.js";

const ARROWS = 5;
const DENSE = 9; // rows or columns up to which there is room for the prior

/** Whether a game's board has so many cells that the prior is not drawn. */
export const isDense = (info) => Math.max(info.board_width, info.board_height) > DENSE;

export class Marks {
  constructor(layout) {
    this.layout = layout;
    this.info = layout.info;
    this.dense = isDense(this.info);
    this.size = this.info.board_type === "edges" ? 0.8 : 1;
  }

  /** `state`: see Board.draw; `choice`: the clicks so far. */
  draw(state, choice) {
    const { marks, best } = state;
    const spots = new Map();
    const arrows = [];
    for (const [key, mark] of Object.entries(marks)) {
      const action = Number(key);
      const cells = this.info.action_cells[action] ?? [];
      if (mark.share === null || !cells.length) continue;
      const clicks = choice.clicked.length;
      if (cells.length === 1) this.add(spots, landing(this.info, state.cells, action), action, mark, action === best);
      else if (!clicks) arrows.push({ action, cells, share: mark.share });
      else if (choice.kept.some((move) => move.action === action)) this.add(spots, cells[clicks], action, mark, action === best);
    }
    const shown = arrows.sort((a, b) => b.share - a.share).slice(0, ARROWS).filter((one) => one.share >= 0.02 || one.action === best);
    const drawn = [...shown.reverse().map((one) => this.arrow(one, one.action === best)), ...[...spots].map(([cell, mark]) => this.circle(cell, mark))];
    if (!drawn.length) drawn.push(...this.mays(state, choice));
    if (!drawn.some((mark) => mark.classList.contains("best"))) drawn.push(...this.hint(state));
    return drawn;
  }

  /** Add a move's share to those of the other moves at its cell. */
  add(spots, cell, action, { share, prior }, best) {
    if (cell === undefined) return;
    const before = spots.get(cell) ?? { action, share: 0, prior: prior === undefined ? undefined : 0, best: false };
    const sum = prior === undefined ? undefined : before.prior + prior;
    spots.set(cell, { action: best ? action : before.action, share: before.share + share, prior: sum, best: before.best || best });
  }

  circle(cell, { action, share, prior, best }) {
    const [x, y] = this.layout.middle(cell);
    const mark = svg("g", { class: `mark${best ? " best" : ""}`, transform: `translate(${x} ${y})` });
    mark.dataset.action = action;
    mark.dataset.cell = cell;
    const both = prior !== undefined && !this.dense;
    const line = this.info.board_width > 3 ? 24 : 14;
    mark.append(svg("circle", { r: this.size * (8 + 34 * Math.sqrt(share)) }));
    if (share >= (this.dense ? 0.02 : 0.005)) mark.append(svg("text", { class: "share", y: both ? -0.35 * line : 1 }, percent(share)));
    if (both) mark.append(svg("text", { class: "prior", y: 0.75 * line }, percent(prior)));
    return mark;
  }

  arrow({ action, cells, share }, best) {
    const arrow = svg("path", { class: `arrow-mark${best ? " best" : ""}`, d: this.path(cells) });
    arrow.dataset.action = action;
    arrow.style.setProperty("--wide", `${6 + 14 * Math.sqrt(share)}px`);
    return arrow;
  }

  /** A line through the middles of cells, with a head at its end. */
  path(cells) {
    const points = cells.map((cell) => this.layout.middle(cell));
    const [[x0, y0], [x1, y1]] = points.slice(-2);
    const far = Math.hypot(x1 - x0, y1 - y0) || 1;
    const [dx, dy] = [(x1 - x0) / far, (y1 - y0) / far];
    points[points.length - 1] = [x1 - 8 * dx, y1 - 8 * dy];
    const [x, y] = points.at(-1);
    const wing = (turn) => `${x - 22 * dx + turn * 18 * dy} ${y - 22 * dy - turn * 18 * dx}`;
    return `M${points.map((point) => point.join(" ")).join("L")}M${wing(1)}L${x} ${y}L${wing(-1)}`;
  }

  /** Dots on cells and rings around pieces: where the next click may be. None while most empty cells may be clicked. */
  mays({ cells, playable }, choice) {
    if (!playable || ["drop_column", "edges"].includes(this.info.board_type)) return [];
    const open = [...choice.next];
    const empty = cells.filter((code) => !code).length;
    const begins = !choice.clicked.length;
    if (begins && (open.length > empty / 2 || open.some((cell) => cells[cell]))) return [];
    return open.map((cell) => {
      const [x, y] = this.layout.middle(cell);
      return cells[cell] ? svg("circle", { class: "may taken", cx: x, cy: y, r: 42 }) : svg("circle", { class: "may", cx: x, cy: y, r: begins ? 9 : 13 });
    });
  }

  hint({ best, cells }) {
    const clicked = best === null || best === undefined ? [] : (this.info.action_cells[best] ?? []);
    if (clicked.length > 1) return [svg("path", { class: "hint", d: this.path(clicked) })];
    const cell = clicked.length ? landing(this.info, cells, best) : undefined;
    if (cell === undefined) return [];
    const [x, y] = this.layout.middle(cell);
    return [svg("circle", { class: "hint", cx: x, cy: y, r: 40 * this.size })];
  }
}
