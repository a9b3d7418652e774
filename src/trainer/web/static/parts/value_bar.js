// A value as a bar: the share of each player, in the players' colours and with their signs.

import { el, write } from "../base/dom.js";
import { signOf } from "../base/format.js";

export class ValueBar {
  constructor(holder) {
    this.fill = el("span", { class: "fill" });
    this.first = el("span", { class: "sign p1" });
    this.second = el("span", { class: "sign p2" });
    this.text = el("output", { class: "value" });
    const track = el("span", { class: "track" }, this.fill);
    this.bar = el("div", { class: "valuebar", role: "img", "aria-label": "Value" }, this.first, track, this.second);
    holder.append(this.bar, this.text);
  }

  /** `value`: the first player's, in [-1, 1]; null if it is unknown. `sentence`: the same in words. */
  draw(info, value, sentence) {
    this.first.textContent = signOf(info, 1);
    this.second.textContent = signOf(info, 2);
    this.bar.classList.toggle("unknown", value === null);
    this.fill.style.width = `${50 + 50 * (value ?? 0)}%`;
    this.bar.setAttribute("aria-label", value === null ? "No value yet" : sentence);
    write(this.text, sentence);
  }
}
