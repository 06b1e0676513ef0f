-- +goose Up

CREATE TABLE users (
    username      text PRIMARY KEY,
    password_hash text NOT NULL,                       -- argon2id, PHC string
    scopes        text[] NOT NULL,
    devices       text[],                              -- ids and globs; NULL covers every device
    disabled      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
    id           text PRIMARY KEY,                     -- the public part of the key
    secret_hash  bytea NOT NULL,                       -- SHA-256 of the secret part, which is random and long
    name         text NOT NULL,
    scopes       text[] NOT NULL,
    devices      text[],
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz
);

-- Selections that viewers use by their id.
CREATE TABLE stream_filters (
    id         text PRIMARY KEY,                       -- a hash of owner and body
    owner      text NOT NULL,                          -- user:<name>, key:<id>, or subject:<sub> of others' tokens
    username   text REFERENCES users ON DELETE CASCADE, -- of a user: the next one of that name does not inherit it
    body       jsonb NOT NULL,                         -- the lists device, tag and metric; absent ones let everything through
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stream_filters_owner ON stream_filters (owner);
CREATE INDEX stream_filters_username ON stream_filters (username);

-- Ids and names of metrics are in the order of their bytes, whatever the locale of the server is.
CREATE TABLE devices (
    id         text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL DEFAULT '',
    metadata   jsonb NOT NULL DEFAULT '{}',
    tags       text[] NOT NULL DEFAULT '{}',
    retention_days integer,                            -- of its readings; NULL is the general setting, 0 for ever
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX devices_tags ON devices USING gin (tags);

-- One device's one metric. last_ts and last_value are as of the last fold; what came later is in the log.
CREATE TABLE series (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id  text COLLATE "C" NOT NULL REFERENCES devices (id),
    metric     text COLLATE "C" NOT NULL,
    unit       text NOT NULL DEFAULT '',
    last_ts    timestamptz,
    last_value double precision,
    UNIQUE (device_id, metric)
);

-- The log: one row a batch, in commit order. The i-th reading is of the i-th series. Both columns are in the form of a chunk's data
-- (FORMAT.md in the package chunk): data with instants relative to 1970, series with ids as values.
-- A row with dropped series and no readings records that a device was deleted.
-- Blocks (partitions by seq) are attached ahead of the head and dropped whole once they are folded and past the resume window.
CREATE TABLE reading_log (
    seq          bigint NOT NULL PRIMARY KEY,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    count        integer NOT NULL,                     -- of readings
    min_ts       bigint NOT NULL,                      -- Unix ms, 0 when the row holds no reading
    max_ts       bigint NOT NULL,
    series       bytea NOT NULL,
    data         bytea NOT NULL,
    dropped      integer[]
) PARTITION BY RANGE (seq);
-- Compressing these again would cost more than it saves.
ALTER TABLE reading_log ALTER COLUMN series SET STORAGE EXTERNAL, ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE reading_log_1 (LIKE reading_log INCLUDING ALL);
ALTER TABLE reading_log ATTACH PARTITION reading_log_1 FOR VALUES FROM (1) TO (1025);

-- What the log's blocks held that are gone, so that a viewer who comes back too late learns which range it has missed. The
-- oldest ones are one row.
CREATE TABLE log_blocks_dropped (
    first_seq bigint PRIMARY KEY,
    last_seq  bigint NOT NULL,
    min_ts    bigint,                                  -- Unix ms; NULL when the block held no reading
    max_ts    bigint
);

-- The log's marks; always exactly one row.
CREATE TABLE log_state (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    folded_seq  bigint NOT NULL DEFAULT 0,             -- every batch up to here is in chunks
    dropped_seq bigint NOT NULL DEFAULT 0,             -- the newest batch that dropped series
    months      integer NOT NULL DEFAULT 0,            -- partitions of months that reading_chunks has ever been given
    retention_days integer NOT NULL DEFAULT 0,         -- the general setting, as the program was told last; 0 for ever
    closed_until timestamptz NOT NULL                  -- days (in UTC) before it have their statistics in reading_days
        DEFAULT (date_trunc('day', now() AT TIME ZONE 'UTC' - interval '1 hour') AT TIME ZONE 'UTC')
);
INSERT INTO log_state DEFAULT VALUES;

-- One series' readings over an hour, or over a whole day or calendar month (in UTC) that is past when they are few. Chunks
-- of a series never overlap. FORMAT.md in the package chunk specifies data; the function readings gives it back as rows.
-- Partitions are calendar months in UTC, reading_chunks_YYYY_MM, made when the first reading of a month comes. The months of a
-- year that has been over for a while become one, reading_chunks_YYYY, if they are small.
CREATE TABLE reading_chunks (
    series_id integer NOT NULL,
    start_at  timestamptz NOT NULL,
    hours     smallint NOT NULL,                       -- that the chunk spans: 1, 24, or those of the month
    count     integer NOT NULL,
    min       double precision NOT NULL,
    max       double precision NOT NULL,
    sum       double precision NOT NULL,
    sum_rest  double precision NOT NULL,               -- as of reading_days
    first     double precision NOT NULL,
    last      double precision NOT NULL,
    data      bytea NOT NULL,
    hourly    bytea,                                   -- statistics of a day's hours, in the same form, where they spare opening it
    PRIMARY KEY (series_id, start_at)
) PARTITION BY RANGE (start_at);
-- The data is compact: compressing it again would cost more than it saves.
ALTER TABLE reading_chunks ALTER COLUMN data SET STORAGE EXTERNAL, ALTER COLUMN hourly SET STORAGE EXTERNAL;
CREATE INDEX reading_chunks_months ON reading_chunks (series_id, start_at) WHERE hours > 24;

-- How many bytes of a partition's chunks have been deleted, or overwritten after its month, since it was written; once they
-- are many it is written again.
CREATE TABLE reading_space (
    partition   text PRIMARY KEY,
    removed     bigint NOT NULL,
    lost        bigint NOT NULL,                       -- of these, with a device that was deleted
    written_at  timestamptz                            -- when chunks were last written after their month; NULL: never
);

-- The statistics of every day before log_state.closed_until in which a series has readings, unless they are in the chunk
-- of a month.
CREATE TABLE reading_days (
    series_id integer NOT NULL,
    start_at  timestamptz NOT NULL,
    count     integer NOT NULL,
    min       double precision NOT NULL,
    max       double precision NOT NULL,
    -- What the sum lacks of the true one, which rounding cut off, is sum_rest. Where the true one is beyond the range of a
    -- float8, sum is infinite, and sum_rest the true sum divided by 2^64.
    sum       double precision NOT NULL,
    sum_rest  double precision NOT NULL,
    first     double precision NOT NULL,
    last      double precision NOT NULL,
    PRIMARY KEY (series_id, start_at)
);
