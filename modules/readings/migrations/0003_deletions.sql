-- +goose Up

-- A row with deleted series and no readings records that their readings in [deleted_from, deleted_to) (Unix ms) were deleted,
-- as far as they come before it in the log. Every instance hides them from then on; the next fold takes them out of the
-- chunks, and notes how many they were.
ALTER TABLE reading_log
    ADD COLUMN deleted       integer[],
    ADD COLUMN deleted_from  bigint,
    ADD COLUMN deleted_to    bigint,
    ADD COLUMN deleted_count bigint;
