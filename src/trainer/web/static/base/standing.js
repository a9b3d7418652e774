// How a game stands, in words.

import { listed, scoreWords, signed } from "./format.js";

/** Whose turn it is, or how the game ended. `again`: whether the person has just moved, too. */
export function standing(state, info, again) {
  if (state.winner === 3) return "A draw.";
  if (state.game_over) return state.winner === state.human_player ? "You win." : "The model wins.";
  const name = info.player_names[state.human_player - 1];
  const passes = ({ cells, name: move }) => !cells.length && move.toLowerCase() === "pass";
  if (state.choices.length === 1 && state.choices.every(passes)) return `You (${name}) have no move and must pass.`;
  return again ? `Your turn again. You play ${name}.` : `Your turn. You play ${name}.`;
}

/** What the server says beyond how the game stands, else which model plays. */
export function remark(state) {
  const further = state.message.split(/(?<=\.) /).slice(1).join(" ");
  if (further) return further;
  return state.model_step === null ? "" : `The model is from training step ${state.model_step.toLocaleString("en")}.`;
}

/** The model's newest moves, by their names; empty if there are none. */
export const reply = (names) => (names.length ? `The model played ${listed(names)}.` : "");

/** The first player's value at a ply: from its analysis, else the newest known before it; null if none is known. */
export function firstValue(plies, ply, analysis) {
  const known = analysis ?? plies.slice(0, ply + 1).findLast((position) => position.value !== null);
  return known ? (known.mover === 1 ? known.value : -known.value) : null;
}

/** The first player's value of a position, and the points. */
export function valueWords(info, value, score) {
  const names = info.player_names;
  let text = "The model has not analysed this position yet.";
  if (value > 0.05) text = `Model’s value: ${signed(value)} for ${names[0]}`;
  else if (value < -0.05) text = `Model’s value: ${signed(-value)} for ${names[1]}`;
  else if (value !== null) text = `Model’s value: even (${signed(value)} for ${names[0]})`;
  return text + scoreWords(info, score);
}

/** The result of a finished game, and the points. */
export const resultWords = (info, winner, score) =>
  (winner === 3 ? "Result: a draw" : `Result: ${info.player_names[winner - 1]} has won`) + scoreWords(info, score);
