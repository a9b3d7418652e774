// Which cells a move is about, for any game.

/** The cell where an action puts its piece on a board; undefined for a pass, or if a column is full. */
export function landing(info, board, action) {
  const clicked = info.action_cells[action] ?? [];
  if (info.board_type !== "drop_column" || !clicked.length) return clicked.at(-1);
  const column = board.map((_, cell) => cell).filter((cell) => cell % info.board_width === clicked[0]);
  if (!info.bottom_row_first) column.reverse();
  return column.find((cell) => !board[cell]);
}

/** The cells of the newest moves before position `ply`: all moves that the same player made in a row. */
export function newest(info, plies, ply) {
  const cells = [];
  for (let at = ply - 1; at >= 0 && plies[at + 1] && plies[at].mover === plies[ply - 1].mover; at -= 1)
    cells.push(...marked(info, plies[at].action, plies[at].board, plies[at + 1].board));
  return cells;
}

/** The cells by which a move is shown: those it goes over, or the one it was made at; if nothing changed there, all that changed. */
function marked(info, action, before, after) {
  const clicked = info.action_cells[action] ?? [];
  if (info.board_type !== "drop_column" && clicked.length > 1) return clicked;
  const cell = landing(info, before, action);
  return before[cell] === after[cell] ? changed(before, after) : [cell]; // in a game without places an action isn't a cell
}

const changed = (before, after) => after.map((_, cell) => cell).filter((cell) => before[cell] !== after[cell]);

/** Whether moves of a game go from cell to cell. */
export const travels = (info) => info.action_cells.some((cells) => cells.length > 1);
