// A line chart over training steps (uPlot), in the colours of the theme and as wide as its container.

import uPlot from "../vendor/uplot.js";
import { el, typing } from "../base/dom.js";
import { count, counted, short } from "../base/format.js";

const HEIGHT = 220;
const NOWHERE = { left: -10, top: -10 }; // where the cursor isn't shown
const RIGHT = 26; // half of the widest label, such as 1234.5M, because the last one is centred below the edge of the plot

export class Chart {
  /**
   * `series`: [{label, color, text, dash, band, hidden}]. `color` is a CSS variable, `text(number)` writes a value, and
   * `band` names two other series between which the area is filled. `range`: limits of the vertical axis, else they follow
   * the data. `format(number, step)`: writes the numbers of that axis, which are `step` apart.
   */
  constructor(title, series, { range = null, format = short } = {}) {
    this.series = series;
    this.range = range;
    this.format = format;
    this.data = [[], ...series.map(() => []), []];
    const keys = { onkeydown: (event) => this.key(event), onblur: () => this.plot.setCursor(NOWHERE) };
    this.place = el("div", { class: "plot", role: "img", "aria-label": title, ...keys });
    this.legend = el(
      "ul",
      { class: "legend" },
      ...series.filter((one) => !one.hidden).map((one) => {
        const key = el("span", { class: `key ${one.dash ? "dashed" : ""}` });
        key.style.color = `var(${one.color})`;
        one.last = el("span", { class: "last" });
        return (one.entry = el("li", {}, key, one.label, one.last));
      }),
    );
    this.otherName = el("span", {});
    this.other = el("li", { hidden: true }, el("span", { class: "key other" }), this.otherName);
    this.legend.append(this.other);
    this.empty = el("p", { class: "quiet" });
    this.title = title;
    this.root = el("figure", { class: "card chart" }, el("figcaption", {}, el("h2", {}, title)), this.legend, this.empty, this.place);
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(this.place);
  }

  /**
   * `columns`: [steps, one column per series]. `empty`: what to say while there are no points. `other`: {label, steps,
   * values} of another run, to be drawn beside the first series; null: none.
   */
  draw(columns, empty, other = null) {
    this.data = other ? uPlot.join([columns, [other.steps, other.values]]) : [...columns, columns[0].map(() => null)];
    this.other.hidden = !other;
    this.otherName.textContent = other?.label ?? "";
    const points = columns[0].length;
    this.root.dataset.points = points;
    this.empty.textContent = points ? "" : empty;
    this.empty.hidden = points > 0;
    this.place.hidden = this.legend.hidden = points === 0;
    if (!points) return;
    this.series.forEach((one, at) => {
      if (!one.last) return;
      const newest = columns[at + 1].findLast((value) => value !== null);
      one.entry.hidden = newest === undefined; // such as a number that older runs don't have
      one.last.textContent = newest === undefined ? "" : one.text(newest);
    });
    const beside = other ? `, beside ${other.label}` : "";
    this.place.setAttribute("aria-label", `${this.title}, ${counted(points, "point")} up to step ${columns[0][points - 1]}${beside}`);
    if (this.plot) {
      const zoomed = this.zoomed && !this.another;
      this.plot.setData(this.data, !zoomed);
      if (zoomed) {
        this.plot.redraw();
        queueMicrotask(() => this.plot.setCursor(this.plot.cursor)); // once it is drawn: the legend shows that step again
      }
    } else this.build();
    this.another = false;
  }

  /** The next points are of another run: show all of them. */
  begin() {
    this.another = true;
  }

  /** Left and right show the numbers of the step before and after; Escape shows all steps. */
  key(event) {
    if (typing(event)) return;
    if (event.key === "ArrowLeft") this.go(-1);
    else if (event.key === "ArrowRight") this.go(1);
    else if (event.key === "Escape") {
      this.plot.setCursor(NOWHERE);
      this.plot.setData(this.data);
    } else return;
    event.preventDefault();
  }

  /** Move the cursor to the next step in a direction, of those shown that our run has; at first to the last or the first. */
  go(direction) {
    const { min, max } = this.plot.scales.x;
    const [steps, ...columns] = this.data;
    const ours = (at) => this.series.some((_, index) => typeof columns[index][at] === "number");
    const candidates = [...steps.keys()].filter((at) => steps[at] >= min && steps[at] <= max && ours(at));
    const { idx } = this.plot.cursor;
    const from = idx ?? (direction < 0 ? steps.length : -1);
    const next = direction < 0 ? candidates.findLast((at) => at < from) : candidates.find((at) => at > from);
    if (next !== undefined) this.plot.setCursor({ left: Math.max(0, this.plot.valToPos(steps[next], "x")), top: 0 });
  }

  /** Whether only a part of the steps is shown, chosen with the pointer. */
  get zoomed() {
    const { min, max } = this.plot.scales.x;
    const steps = this.plot.data[0];
    return min !== null && (min > steps[0] || max < steps.at(-1)); // null: nothing was drawn yet
  }

  /** A colour of the page as canvas understands it, in the theme that is shown: rgb(r, g, b). */
  colorOf(name) {
    this.place.style.color = `var(${name})`;
    const found = getComputedStyle(this.place).color;
    this.place.style.color = "";
    return found;
  }

  build() {
    const color = (name) => this.colorOf(name);
    const axis = {
      stroke: color("--soft"),
      grid: { stroke: color("--line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const bands = [];
    this.series.forEach((one, at) => {
      if (one.band) bands.push({ series: [one.band[0] + 1, one.band[1] + 1], fill: color(one.color).replace("rgb(", "rgba(").replace(")", ", 0.17)") });
    });
    this.plot?.destroy();
    this.plot = new uPlot(
      {
        width: Math.max(this.place.clientWidth, 200),
        height: HEIGHT,
        padding: [8, RIGHT, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false }, points: { size: 6 } },
        scales: { x: { time: false }, y: this.range ? { range: () => this.range } : { range: padded } },
        axes: [
          { ...axis, values: (plot, ticks, at, space, step) => ticks.map((tick) => short(tick, step)), space: 70, size: 30 },
          { ...axis, values: (plot, ticks, at, space, step) => ticks.map((tick) => this.format(tick, step)), size: 52 },
        ],
        series: [
          {},
          ...this.series.map((one) => ({
            label: one.label,
            stroke: one.hidden ? "transparent" : color(one.color),
            width: 1.75,
            dash: one.dash,
            points: { show: one.hidden ? false : undefined, size: 5, fill: color("--surface") },
            spanGaps: true,
          })),
          { stroke: color("--soft"), width: 1.5, dash: [2, 3], points: { show: false }, spanGaps: true }, // another run
        ],
        bands,
        hooks: { setCursor: [(plot) => this.point(plot)], setScale: [(plot, axis) => axis === "x" && this.span(plot)] },
      },
      this.data,
      this.place,
    );
    this.place.tabIndex = 0; // from now on there is something to see
  }

  /** Put the first and the last step shown into `data-shown`. */
  span(plot) {
    const { min, max } = plot.scales.x;
    this.root.dataset.shown = `${Math.round(min)} to ${Math.round(max)}`;
  }

  /** Show the values under the pointer in the legend. */
  point(plot) {
    const at = plot.cursor.idx ?? null;
    this.series.forEach((one, index) => {
      if (!one.last) return;
      const values = this.data[index + 1]; // null at steps that only the other run has
      const value = (at === null ? values.findLast((number) => number !== null && number !== undefined) : values[at]) ?? null;
      const when = at === null ? "" : ` (step ${count(this.data[0][at])})`;
      if (value !== null) one.last.textContent = one.text(value) + when;
    });
  }

  resize() {
    if (this.plot && this.place.clientWidth) this.plot.setSize({ width: this.place.clientWidth, height: HEIGHT });
  }

  themed() {
    if (!this.plot) return;
    const { zoomed } = this;
    const { min, max } = this.plot.scales.x;
    this.build();
    if (zoomed) this.plot.setScale("x", { min, max });
  }

  close() {
    this.watcher.disconnect();
    this.plot?.destroy();
  }
}

/** The limits of an axis: from 0 if no value is negative, with some space above. */
function padded(_, low, high) {
  if (low === null) return [0, 1];
  const bottom = low >= 0 ? 0 : low * 1.05;
  return [bottom, high > bottom ? high + (high - bottom) * 0.06 : bottom + 1];
}
