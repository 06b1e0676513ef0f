-- +goose Up

-- Outside the program a batch is named by when it was committed, in µs, which strictly ascends along the log. So a place in a
-- log that is no more, because the database was restored or a failover has lost its newest batches, is known as one.

-- Batches of before, whose clock may have been set back or stood still, are brought into that order.
UPDATE reading_log AS l SET committed_at = ordered.at
FROM (
    SELECT seq, max(committed_at - seq * interval '1 microsecond') OVER (ORDER BY seq) + seq * interval '1 microsecond' AS at
    FROM reading_log
) AS ordered
WHERE ordered.seq = l.seq AND ordered.at <> l.committed_at;

-- When the newest batch of those in chunks was committed: the log itself may have dropped it.
ALTER TABLE log_state ADD COLUMN folded_at timestamptz;
UPDATE log_state SET folded_at = coalesce(
    (SELECT committed_at FROM reading_log WHERE seq = folded_seq),
    (SELECT min(committed_at) - interval '1 microsecond' FROM reading_log),
    clock_timestamp())
WHERE folded_seq > 0;

-- When the newest batch of a block was committed. Of those dropped before it is only known that none is newer than the log.
ALTER TABLE log_blocks_dropped ADD COLUMN last_at timestamptz;
UPDATE log_blocks_dropped SET last_at = coalesce(
    (SELECT min(committed_at) - interval '1 microsecond' FROM reading_log), (SELECT folded_at FROM log_state));
