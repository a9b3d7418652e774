// What a page keeps of a run that it watches for hours, thinned out.

const MAX_POINTS = 600; // as in stats.json; even, so that dropping every second point keeps the newest
const NEWEST_EVALUATIONS = 10; // and MAX_EVALUATIONS before them, also as in stats.json
const MAX_EVALUATIONS = 100;

/** A history with points added, thinned out as the trainer does it. */
export function extended(history, points) {
  let kept = [...history];
  for (const point of points) {
    if (kept.length > 2 && kept.at(-1).step - kept.at(-2).step < kept[1].step - kept[0].step) kept.pop();
    kept.push(point);
    if (kept.length > MAX_POINTS) kept = kept.filter((_, at) => at % 2 === 0);
  }
  return kept;
}

/** The newest evaluations, and some of those before them. */
export function thinned(evaluations) {
  let older = evaluations.slice(0, -NEWEST_EVALUATIONS);
  while (older.length > MAX_EVALUATIONS) older = older.filter((_, at) => at % 2 === 0);
  return [...older, ...evaluations.slice(-NEWEST_EVALUATIONS)];
}
