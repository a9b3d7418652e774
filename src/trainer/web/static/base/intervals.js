// Confidence intervals of shares.

/** Wilson's 95% interval of a share (Wilson 1927). */
function wilson(share, games) {
  if (!games) return [0, 1];
  const z = 1.96;
  const middle = (share + (z * z) / (2 * games)) / (1 + (z * z) / games);
  const half = (z / (1 + (z * z) / games)) * Math.sqrt((share * (1 - share)) / games + (z * z) / (4 * games * games));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** The 95% interval of an evaluation's wins: as it was measured, else Wilson's. */
export const winInterval = (evaluation) => evaluation.win_interval_95 ?? wilson(evaluation.win_rate, evaluation.games_played);
