// The moves of a game as a list, with buttons to step through them.

import { el, svg, switchOff } from "../base/dom.js";
import { signOf } from "../base/format.js";

export class MoveList {
  /** `onshow(ply)` is called to show the board after `ply` moves. */
  constructor(onshow) {
    this.onshow = onshow;
    this.ply = 0;
    this.last = 0;
    const step = (label, path, to) =>
      el(
        "button",
        { type: "button", "aria-label": label, onclick: () => this.go(to()) },
        svg("svg", { viewBox: "0 0 24 24", class: "arrow", "aria-hidden": "true" }, svg("path", { d: path })),
      );
    this.buttons = [
      step("First position", "M7 5v14M18 5l-8 7 8 7", () => 0),
      step("Previous position", "M15 5l-8 7 8 7", () => this.ply - 1),
      step("Next position", "M9 5l8 7-8 7", () => this.ply + 1),
      step("Last position", "M17 5v14M6 5l8 7-8 7", () => this.last),
    ];
    this.list = el("ol", { class: "moves" });
    this.empty = el("p", { class: "quiet" }, "No moves yet.");
    this.root = el("div", { class: "movelist" }, el("div", { class: "stepper" }, ...this.buttons), this.empty, this.list);
  }

  go(ply) {
    if (ply >= 0 && ply <= this.last && ply !== this.ply) this.onshow(ply);
  }

  draw(info, plies, shown) {
    this.ply = shown;
    this.last = plies.length - 1;
    const moves = plies.filter((ply) => ply.action !== null);
    this.empty.hidden = moves.length > 0;
    const longest = Math.max(2, ...moves.map((ply) => ply.name.length));
    this.list.style.setProperty("--longest", `${longest}ch`);
    const focused = this.list.contains(document.activeElement);
    this.list.replaceChildren(
      ...moves.map((ply, at) =>
        el(
          "li",
          {},
          el(
            "button",
            {
              type: "button",
              class: `move p${ply.mover}`,
              "aria-current": at + 1 === shown ? "step" : null,
              "aria-label": `Move ${ply.ply + 1}, ${info.player_names[ply.mover - 1]}: ${ply.name}`,
              onclick: () => this.go(at + 1),
            },
            el("span", { class: "number" }, `${ply.ply + 1}`),
            el("span", { class: "sign" }, signOf(info, ply.mover)),
            ply.name,
          ),
        ),
      ),
    );
    const current = this.list.querySelector("[aria-current]");
    if (focused) current?.focus(); // the button that had it is gone
    if (current) this.list.scrollTop = current.offsetTop - this.list.offsetTop - this.list.clientHeight / 2;
    this.buttons.slice(0, 2).forEach((button) => switchOff(button, shown <= 0)); // `go` ignores their clicks
    this.buttons.slice(2).forEach((button) => switchOff(button, shown >= this.last));
  }
}
