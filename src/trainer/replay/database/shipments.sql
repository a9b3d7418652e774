-- What a cluster's players have sent (`trainer.cluster`). It is written in the transaction that stores the shipment's games,
-- so each is stored once.
CREATE TABLE IF NOT EXISTS shipments (
    sender TEXT PRIMARY KEY,          -- one process of a player
    last INTEGER NOT NULL             -- the number of its last shipment that is stored
);
