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
  for (let at = ply - 1; at >= 0 && plies[at]?.mover === plies[ply - 1].mover; at -= 1) {
    const { board, action } = plies[at];
    const single = info.board_type === "drop_column" || (info.action_cells[action] ?? []).length < 2;
    cells.push(...(single ? [landing(info, board, action)] : info.action_cells[action]));
  }
  return cells.filter((cell) => cell !== undefined);
}

/** Whether moves of a game go from cell to cell. */
export const travels = (info) => info.action_cells.some((cells) => cells.length > 1);
