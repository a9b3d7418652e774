// The pieces of a game, drawn around the origin: strokes for X and O, chess pieces, else discs with a letter.

import { svg } from "../base/dom.js";

const CHESS = { K: ["♚", "king"], Q: ["♛", "queen"], R: ["♜", "rook"], B: ["♝", "bishop"], N: ["♞", "knight"], P: ["♟", "pawn"] };
const PLAIN = "\ufe0e"; // after a symbol: as text, not as an emoji

export class Pieces {
  constructor(info) {
    this.info = info;
    this.radius = 39;
    this.lettered = true;
    const letters = info.owners.flatMap((owner, code) => (owner ? [this.symbol(code).toUpperCase()] : []));
    this.various = letters.length > 2;
    this.chess = this.various && letters.every((letter) => letter in CHESS);
    this.strokes = info.board_type === "grid" && info.player_symbols.join("") === "XO" && !this.various;
  }

  symbol(code) {
    return this.info.symbols[code] ?? "?";
  }

  owner(code) {
    return this.info.owners[code] ?? 0;
  }

  draw(code) {
    const owner = this.owner(code);
    const symbol = this.symbol(code);
    if (!owner) {
      return body(svg("rect", { class: "block", x: -38, y: -38, width: 76, height: 76, rx: 12 }), svg("text", { class: "letter", y: 1 }, symbol));
    }
    if (this.chess) return body(svg("text", { class: "chess", y: 4 }, CHESS[symbol.toUpperCase()][0] + PLAIN));
    if (this.strokes) {
      return body(
        owner === 1 ? svg("path", { class: "stroke", d: "M-24 -24 24 24M24 -24-24 24" }) : svg("circle", { class: "stroke", r: 27 }),
      );
    }
    return body(
      svg("circle", { class: "disc", r: this.radius }),
      this.lettered ? svg("circle", { class: "rim", r: 0.77 * this.radius }) : null,
      this.lettered ? svg("text", { class: "letter", y: 1 }, symbol) : null,
    );
  }

  /** What is on a cell, in words. */
  words(code) {
    if (!code) return "empty";
    const owner = this.owner(code);
    if (!owner) return this.symbol(code);
    const name = this.info.player_names[owner - 1];
    if (this.chess) return `${name} ${CHESS[this.symbol(code).toUpperCase()][1]}`;
    return this.various ? `${name} ${this.symbol(code)}` : name;
  }
}

const body = (...parts) => svg("g", { class: "body" }, ...parts);
