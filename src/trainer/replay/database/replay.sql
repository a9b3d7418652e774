-- The replay database: one row of `transitions` per position of each game played.
-- Numbers in blobs are little-endian. "Mover" is the player to move in that row. Games whose rows would be large have packed
-- ones: observations as bits, and policies of legal moves alone, f32[packed_moves] (docs/formats.md).

CREATE TABLE IF NOT EXISTS transitions (
    id TEXT PRIMARY KEY,              -- <episode_id>-step-<n>
    env_id TEXT NOT NULL,
    episode_id TEXT NOT NULL,         -- one game
    step_number INTEGER NOT NULL,     -- 0-based ply
    state BLOB NOT NULL,              -- position before the move: cells, player, winner, flags
    action BLOB NOT NULL,             -- u32
    next_state BLOB NOT NULL,         -- position after the move
    observation BLOB NOT NULL,        -- f32[obs_size]
    next_observation BLOB NOT NULL,   -- f32[obs_size]
    reward REAL NOT NULL,             -- +1 the mover has just won, -1 lost, else 0
    done INTEGER NOT NULL,            -- 1 on the last row of a game
    timestamp INTEGER NOT NULL,       -- Unix seconds
    policy_probs BLOB,                -- f32[num_actions], sums to 1; NULL: the row trains the value only
    mcts_value REAL DEFAULT 0,        -- search value of the position, for the mover; the outcome if nothing was searched
    game_outcome REAL,                -- +1 the mover won that game, 0 draw, -1 lost
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_transitions_timestamp ON transitions (timestamp);
CREATE INDEX IF NOT EXISTS idx_transitions_episode ON transitions (episode_id);

-- Makes the file self-describing: a trainer reads the dimensions of a game from here.
CREATE TABLE IF NOT EXISTS game_metadata (
    env_id TEXT PRIMARY KEY,
    display_name TEXT,
    board_width INTEGER,
    board_height INTEGER,
    num_actions INTEGER,
    obs_size INTEGER,
    legal_mask_offset INTEGER,
    player_count INTEGER,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
