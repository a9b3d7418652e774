// The settings of Play, and which of them a game has.

import { memory } from "./memory.js";

/** The settings that this browser remembers. */
export function storedSettings() {
  try {
    return JSON.parse(memory.get("play")) ?? {};
  } catch {
    return {};
  }
}

/** The settings that a game was begun with. */
export const settingsOf = ({ game, human_player: player, simulations }) => ({ game, first: player === 1 ? "player" : "bot", simulations });

export const sameSettings = (one, other) => ["game", "first", "simulations"].every((name) => one[name] === other[name]);

/** Whether a game state is a later one of the same game, with the same search and model. */
export const goesOn = (before, after) =>
  after.game_id === before.game_id &&
  after.simulations === before.simulations &&
  after.model_step === before.model_step &&
  after.ply > before.ply &&
  before.moves.every((move, at) => move === after.moves[at]);
