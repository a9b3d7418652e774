-- What `game_metadata` has no columns for: only of games that the contract doesn't know (docs/formats.md).
CREATE TABLE IF NOT EXISTS game_layouts (
    env_id TEXT PRIMARY KEY,
    layout TEXT,                      -- JSON: what the numbers of an observation mean, and how players are exchanged
    rules TEXT                        -- a hash of the rules by which the games were played
);
