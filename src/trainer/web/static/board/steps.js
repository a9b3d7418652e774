// Steps from target to target by the arrow keys.

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// What a unit aside counts: little enough that a step up a board of hexagons leads to the next row, and enough that a step
// along a row of edges leads to the next edge of that row.
const ASIDE = 1.2;

/**
 * The nearest target within 45 degrees of a direction; null if there is none. Of two that are equally near, the first one to
 * the left and above, and the last one to the right and below, so that opposite steps undo each other.
 */
export function nextInDirection(layout, from, key) {
  const [dx, dy] = DIRECTIONS[key];
  const [x, y] = layout.spot(from);
  const forwards = dx + dy > 0;
  let best = null;
  let nearest = Infinity;
  for (const target of [...layout.targets].sort((a, b) => a - b)) {
    const [right, down] = [layout.spot(target)[0] - x, layout.spot(target)[1] - y];
    const along = right * dx + down * dy;
    const aside = Math.abs(right * dy) + Math.abs(down * dx);
    const far = along + ASIDE * aside;
    if (along <= 1 || along < aside - 1) continue;
    if (far < nearest - 1 || (forwards && far < nearest + 1)) [best, nearest] = [target, Math.min(far, nearest)];
  }
  return best;
}
