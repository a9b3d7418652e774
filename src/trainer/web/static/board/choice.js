// The choice of a move by clicks. Each click keeps the moves that are made there; what the clicks can't tell apart becomes
// buttons.

export class Choice {
  constructor() {
    this.moves = [];
    this.clicked = [];
  }

  /** The moves that may be played from now on: [{action, name, cells}], `cells` being what one clicks on, in order. */
  offer(moves) {
    this.moves = moves;
    this.clicked = [];
  }

  /** The moves that begin with the clicks so far. */
  get kept() {
    return this.moves.filter(({ cells }) => cells.length && this.clicked.every((target, at) => cells[at] === target));
  }

  /** The moves that a click on a target would keep. */
  through(target) {
    return this.kept.filter(({ cells }) => cells[this.clicked.length] === target);
  }

  /** What can be clicked next. */
  get next() {
    return new Set(this.kept.flatMap(({ cells }) => cells.slice(this.clicked.length, this.clicked.length + 1)));
  }

  /** What can be clicked at all: also what begins another move. */
  get open() {
    return new Set([...this.next, ...this.moves.flatMap(({ cells }) => cells.slice(0, 1))]);
  }

  /** The moves to be offered as buttons: those without cells, or those that the clicks can't tell apart. */
  get buttons() {
    return this.clicked.length
      ? this.kept.filter(({ cells }) => cells.length === this.clicked.length)
      : this.moves.filter(({ cells }) => !cells.length);
  }

  /** Click on a target. Returns the move that is now decided, or null. A second click on the same target drops the choice. */
  click(target) {
    if (!this.through(target).length) {
      const again = this.clicked.at(-1) === target;
      this.clicked = [];
      if (again || !this.through(target).length) return null;
    }
    this.clicked.push(target);
    const [first, ...others] = this.kept;
    return !others.length && first.cells.length === this.clicked.length ? first : null;
  }

  drop() {
    this.clicked = [];
  }
}
