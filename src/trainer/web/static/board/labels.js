// The names of a board's rows and columns.

/** {columns, rows}: the parts of the cells' names, which are letters and a number; null if the game names its cells otherwise. */
export function coordinates(info) {
  const parts = info.target_names.map((name) => /^([a-z]+)(\d+)$/i.exec(name));
  if (!parts.every(Boolean)) return null;
  const { board_width: width, board_height: height } = info;
  return {
    columns: Array.from({ length: width }, (_, at) => parts[at][1]),
    rows: Array.from({ length: height }, (_, at) => parts[at * width][2]),
  };
}

/** How large labels are, so that they are as easy to read on a board of many cells, in either direction, as on one of 8x8. */
export const labelScale = (across, down) => Math.max(1, across / 8, down / 8);
