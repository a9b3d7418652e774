// One number with its name above and a remark below.

import { el } from "../base/dom.js";

export class Tile {
  constructor() {
    this.name = el("dt");
    this.value = el("dd", { class: "amount" });
    this.remark = el("dd", { class: "quiet" });
    this.root = el("div", { class: "tile" }, this.name, this.value, this.remark);
  }

  draw(name, value, remark) {
    if (this.name.textContent !== name) this.name.textContent = name;
    if (this.value.textContent !== value) this.value.textContent = value;
    if (this.remark.textContent !== remark) this.remark.textContent = remark;
  }
}
