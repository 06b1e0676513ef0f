-- +goose Up

-- last_ts and last_value are those of the newest reading that was not ahead of now at the last fold; ahead_ts is the newest
-- instant of readings that were. arrived_at is when a reading was committed last, whatever its own time is.
ALTER TABLE series ADD COLUMN ahead_ts timestamptz, ADD COLUMN arrived_at timestamptz;
