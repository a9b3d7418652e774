-- Stores finished games. SQLite itself cuts the rows out of the games' arrays, because Python would hold its lock (the GIL)
-- for each row.
--
-- :games is a JSON array with one entry per game: [episode_id, env_id, first ply, number of plies of the games before it in
-- the arrays, [the search's value at each ply]]. The other arrays are blobs, one game after the other, with one row per ply;
-- :states and :observations have one more row per game, for the position after the last ply. Widths are in bytes.

WITH games AS (
    SELECT
        json_extract(value, '$[0]') AS episode_id,
        json_extract(value, '$[1]') AS env_id,
        json_extract(value, '$[2]') AS first_ply,
        json_extract(value, '$[3]') AS plies_before,
        json_extract(value, '$[3]') + key AS positions_before,
        json_extract(value, '$[4]') AS search_values
    FROM json_each(:games)
    LIMIT -1 -- all of them. With a limit SQLite evaluates this once per game; without one, at each use.
),

plies AS (
    SELECT
        *,
        key AS ply,
        value AS mcts_value,
        key + 1 = json_array_length(search_values) AS done,
        CASE substr(:outcomes, 1 + plies_before + key, 1) WHEN x'01' THEN 1.0 WHEN x'FF' THEN -1.0 ELSE 0.0 END AS outcome
    FROM games, json_each(search_values)
)

INSERT INTO transitions (
    id, env_id, episode_id, step_number,
    state, action, next_state,
    observation, next_observation,
    reward, done, timestamp,
    policy_probs, mcts_value, game_outcome
)
SELECT
    episode_id || '-step-' || (first_ply + ply), env_id, episode_id, first_ply + ply,
    substr(:states, 1 + (positions_before + ply) * :state_width, :state_width),
    substr(:actions, 1 + (plies_before + ply) * 4, 4),
    substr(:states, 1 + (positions_before + ply + 1) * :state_width, :state_width),
    substr(:observations, 1 + (positions_before + ply) * :observation_width, :observation_width),
    substr(:observations, 1 + (positions_before + ply + 1) * :observation_width, :observation_width),
    CASE WHEN done THEN outcome ELSE 0.0 END, done, :now,
    substr(:policies, 1 + (plies_before + ply) * :policy_width, :policy_width),
    mcts_value, outcome
FROM plies
