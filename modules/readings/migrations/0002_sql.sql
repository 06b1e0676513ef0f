-- +goose Up

-- What SQL users read. What these functions answer depends on nothing that a session, a role or a database can set. Hours, days
-- and months are those of UTC, and names are those of the schema that the tables are in, which need not be in search_path. A SET
-- clause would do the latter too, and keep a function from becoming a part of the query that calls it.
-- +goose StatementBegin
DO $do$
DECLARE
    home text := (
        SELECT quote_ident(n.nspname) || '.' FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = 'log_state'::regclass);
BEGIN
    -- The readings of a chunk's data (FORMAT.md) with their numbers, from 0: those in [since, until) and perhaps some around them: those of the same blocks.
    -- Each OFFSET 0 has what is above it computed once, not for each reading; data || '' has it read from disk once.
    EXECUTE replace($create$
CREATE FUNCTION telltale.chunk_readings(start_at timestamptz, data bytea, since timestamptz, until timestamptz)
RETURNS TABLE (n integer, ts timestamptz, value double precision)
LANGUAGE sql IMMUTABLE ROWS 1000 AS $$
SELECT block.b * 64 + i, block.ts + (i * block.step + CASE
        WHEN block.time_width = 0 THEN 0
        WHEN block.time_width <= 16 THEN (pg_catalog.get_byte(block.d, block.times_at + (i * block.time_width >> 3))
                | (pg_catalog.get_byte(block.d, block.times_at + (i * block.time_width >> 3) + 1) << 8)
                | (pg_catalog.get_byte(block.d, block.times_at + (i * block.time_width >> 3) + 2) << 16))
            >> (i * block.time_width & 7) & (1 << block.time_width) - 1
        ELSE pg_catalog.get_byte(block.d, block.times_at + i * (block.time_width >> 3))::bigint
            | (pg_catalog.get_byte(block.d, block.times_at + i * (block.time_width >> 3) + 1)::bigint << 8)
            | (pg_catalog.get_byte(block.d, block.times_at + i * (block.time_width >> 3) + 2)::bigint << 16)
            | CASE WHEN block.time_width > 24 THEN pg_catalog.get_byte(block.d, block.times_at + i * (block.time_width >> 3) + 3)::bigint << 24 ELSE 0 END
            | CASE WHEN block.time_width > 32 THEN pg_catalog.get_byte(block.d, block.times_at + i * (block.time_width >> 3) + 4)::bigint << 32 ELSE 0 END
            | CASE WHEN block.time_width > 40 THEN pg_catalog.get_byte(block.d, block.times_at + i * (block.time_width >> 3) + 5)::bigint << 40 ELSE 0 END
            | CASE WHEN block.time_width > 48 THEN pg_catalog.get_byte(block.d, block.times_at + i * (block.time_width >> 3) + 6)::bigint << 48 ELSE 0 END
        END) * interval '1 millisecond',
    CASE
        WHEN block.value_width = 0 THEN block.least::float8 / block.power
        WHEN block.value_width <= 16 THEN (block.least + (
            (pg_catalog.get_byte(block.d, block.values_at + (i * block.value_width >> 3))
                | (pg_catalog.get_byte(block.d, block.values_at + (i * block.value_width >> 3) + 1) << 8)
                | (pg_catalog.get_byte(block.d, block.values_at + (i * block.value_width >> 3) + 2) << 16))
            >> (i * block.value_width & 7) & (1 << block.value_width) - 1))::float8 / block.power
        WHEN block.value_width < 128 THEN (block.least + (
            pg_catalog.get_byte(block.d, block.values_at + i * (block.value_width >> 3))::bigint
            | (pg_catalog.get_byte(block.d, block.values_at + i * (block.value_width >> 3) + 1)::bigint << 8)
            | (pg_catalog.get_byte(block.d, block.values_at + i * (block.value_width >> 3) + 2)::bigint << 16)
            | CASE WHEN block.value_width > 24 THEN pg_catalog.get_byte(block.d, block.values_at + i * (block.value_width >> 3) + 3)::bigint << 24 ELSE 0 END
            | CASE WHEN block.value_width > 32 THEN pg_catalog.get_byte(block.d, block.values_at + i * (block.value_width >> 3) + 4)::bigint << 32 ELSE 0 END
            | CASE WHEN block.value_width > 40 THEN pg_catalog.get_byte(block.d, block.values_at + i * (block.value_width >> 3) + 5)::bigint << 40 ELSE 0 END
            | CASE WHEN block.value_width > 48 THEN pg_catalog.get_byte(block.d, block.values_at + i * (block.value_width >> 3) + 6)::bigint << 48 ELSE 0 END
            ))::float8 / block.power
        ELSE (
            -- A float64's sign, exponent and fraction (IEEE 754), of which the last bytes may have been left off. Sums may be infinite.
            SELECT CASE WHEN bits < 0 THEN -1 ELSE 1 END::float8
                * CASE WHEN bits >> 52 & 2047 = 2047 THEN 'Infinity' ELSE ((bits & 4503599627370495) + CASE WHEN bits >> 52 & 2047 = 0 THEN 0 ELSE 4503599627370496 END)::float8
                    * pg_catalog.power(2::float8, greatest(bits >> 52 & 2047, 1)::float8 - 1075) END
            FROM (
                SELECT ('x' || pg_catalog.rpad(pg_catalog.encode(pg_catalog.substr(block.d, block.values_at + i * (block.value_width - 128) + 1, block.value_width - 128), 'hex'), 16, '0'))::bit(64)::bigint AS bits OFFSET 0
            ) AS raw)
        END
FROM (SELECT $1 AS start_at, $2 || ''::bytea AS d OFFSET 0) AS stored
CROSS JOIN LATERAL (
    SELECT pg_catalog.get_byte(d, 2) AS time_base, pg_catalog.get_byte(d, 3) AS value_base,
        ('x' || pg_catalog.encode(pg_catalog.substr(d, 5, 4), 'hex'))::bit(32)::int AS count,
        ('x' || pg_catalog.encode(pg_catalog.substr(d, 9, 8), 'hex'))::bit(64)::bigint AS origin,
        ('x' || pg_catalog.encode(pg_catalog.substr(d, 17, 4), 'hex'))::bit(32)::bigint AS step,
        ('x' || pg_catalog.encode(pg_catalog.substr(d, 21, 8), 'hex'))::bit(64)::bigint AS least,
        (ARRAY[1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]::float8[])[pg_catalog.get_byte(d, 1) + 1] AS power,
        CASE WHEN pg_catalog.get_byte(d, 0) = 1 THEN pg_catalog.get_byte(d, 3) + 1 + CASE WHEN pg_catalog.get_byte(d, 2) > 0 THEN pg_catalog.get_byte(d, 2) + 1 ELSE 0 END
            ELSE 1 / (pg_catalog.get_byte(d, 0) - pg_catalog.get_byte(d, 0)) -- a format of a later version
            END AS entry_size
    OFFSET 0
) AS header
CROSS JOIN LATERAL (
    SELECT *, 28 + ((count + 63) >> 6) * entry_size + (pg_catalog.sum(times_size + values_size) OVER (ORDER BY b) - times_size - values_size)::int AS times_at
    FROM (
        SELECT *, (n * time_width + 7) >> 3 AS times_size,
            CASE WHEN value_width >= 128 THEN n * (value_width - 128) ELSE (n * value_width + 7) >> 3 END AS values_size
        FROM (
            SELECT b, least(64, count - b * 64) AS n,
                CASE WHEN time_base = 0 THEN 0
                    ELSE ('x' || pg_catalog.lpad(pg_catalog.encode(pg_catalog.substr(d, 29 + b * entry_size, time_base), 'hex'), 16, '0'))::bit(64)::bigint END AS times,
                CASE WHEN time_base = 0 THEN 0 ELSE pg_catalog.get_byte(d, 28 + b * entry_size + time_base) END AS time_width,
                CASE WHEN value_base = 0 THEN 0 ELSE
                    ('x' || pg_catalog.lpad(pg_catalog.encode(pg_catalog.substr(d, 29 + (b + 1) * entry_size - value_base - 1, value_base), 'hex'), 16, '0'))::bit(64)::bigint
                    END AS base,
                pg_catalog.get_byte(d, 28 + (b + 1) * entry_size - 1) AS value_width
            FROM pg_catalog.generate_series(0, (count - 1) >> 6) AS b
            OFFSET 0
        ) AS entry
        OFFSET 0
    ) AS sized
    OFFSET 0
) AS placed
CROSS JOIN LATERAL (
    SELECT d, b, n, step, power, time_width, value_width, times_at, times_at + times_size AS values_at, header.least + base AS least,
        start_at + (origin + b * 64 * step + times) * interval '1 millisecond' AS ts
    OFFSET 0
) AS block
CROSS JOIN LATERAL pg_catalog.generate_series(0, block.n - 1) AS i
WHERE block.ts < coalesce($4, 'infinity')
    AND block.ts + ((block.n - 1) * block.step + (1::bigint << block.time_width)) * interval '1 millisecond' > coalesce($3, '-infinity')
$$ $create$, 'telltale.', home);

    -- The series of the devices and metrics given (NULL is all of them), and from when on their readings are answered: since, or what
    -- retention has left.
    EXECUTE replace($create$
CREATE FUNCTION telltale.selected_series(devices text[], metrics text[], since timestamptz)
RETURNS TABLE (id integer, device_id text, metric text, since timestamptz)
LANGUAGE sql STABLE ROWS 1000 AS $$
SELECT s.id, s.device_id, s.metric,
    greatest(coalesce($3, '-infinity'),
        pg_catalog.now() - nullif(coalesce(d.retention_days, (SELECT retention_days FROM telltale.log_state)), 0) * interval '24 hours')
FROM telltale.series AS s JOIN telltale.devices AS d ON d.id = s.device_id
WHERE ($1 IS NULL OR s.device_id = ANY ($1)) AND ($2 IS NULL OR s.metric = ANY ($2))
$$ $create$, 'telltale.', home);

    -- The readings of these series that are in the log and not in chunks: of each instant the last one.
    EXECUTE replace($create$
CREATE FUNCTION telltale.unfolded_readings(devices text[], metrics text[], since timestamptz, until timestamptz)
RETURNS TABLE (id integer, ts timestamptz, value double precision)
LANGUAGE sql STABLE ROWS 1000 AS $$
SELECT DISTINCT ON (wanted.id, r.ts) wanted.id, r.ts, r.value
FROM telltale.reading_log AS l
CROSS JOIN LATERAL (
    SELECT ARRAY(SELECT s.value::integer FROM telltale.chunk_readings('epoch', l.series, NULL, NULL) AS s ORDER BY s.n) AS series OFFSET 0
) AS batch
CROSS JOIN LATERAL telltale.chunk_readings('epoch', l.data, NULL, NULL) AS r
JOIN telltale.selected_series($1, $2, $3) AS wanted ON wanted.id = batch.series[r.n + 1]
WHERE l.seq > (SELECT folded_seq FROM telltale.log_state)
    AND l.max_ts >= pg_catalog.floor(extract(epoch FROM coalesce($3, 'epoch')) * 1000)
    AND r.ts >= wanted.since AND r.ts < coalesce($4, 'infinity')
ORDER BY wanted.id, r.ts, l.seq DESC, r.n DESC
$$ $create$, 'telltale.', home);

    -- Readings as plain rows: of the devices and metrics given (NULL is all of them), from since (inclusive) to until (exclusive),
    -- where NULL is no bound. Each reading comes once, whether it is in a chunk or still in the log. Give the bounds as arguments:
    -- chunks outside them are not opened then.
    EXECUTE replace($create$
CREATE FUNCTION telltale.readings(devices text[], metrics text[], since timestamptz, until timestamptz)
RETURNS TABLE (device text, metric text, ts timestamptz, value double precision)
LANGUAGE sql STABLE ROWS 100000 AS $$
WITH wanted AS (
    SELECT * FROM telltale.selected_series($1, $2, $3)
), unfolded AS MATERIALIZED (
    SELECT * FROM telltale.unfolded_readings($1, $2, $3, $4)
)
SELECT wanted.device_id, wanted.metric, p.ts, p.value
FROM wanted
CROSS JOIN LATERAL (
    SELECT start_at, data FROM telltale.reading_chunks
    WHERE series_id = wanted.id AND start_at = pg_catalog.date_trunc('month', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
        AND start_at < pg_catalog.date_trunc('hour', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AND hours > 24
    UNION ALL
    SELECT start_at, data FROM telltale.reading_chunks
    WHERE series_id = wanted.id AND start_at = pg_catalog.date_trunc('day', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
        AND start_at < pg_catalog.date_trunc('hour', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AND hours = 24
    UNION ALL
    SELECT start_at, data FROM telltale.reading_chunks
    WHERE series_id = wanted.id
        AND start_at >= coalesce(pg_catalog.date_trunc('hour', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC', '-infinity')
        AND start_at < coalesce($4, 'infinity')
) AS c
CROSS JOIN LATERAL telltale.chunk_readings(c.start_at, c.data, wanted.since, $4) AS p
WHERE p.ts >= wanted.since AND p.ts < coalesce($4, 'infinity')
    AND (wanted.id, p.ts) NOT IN (SELECT id, ts FROM unfolded)
UNION ALL
SELECT wanted.device_id, wanted.metric, unfolded.ts, unfolded.value FROM unfolded JOIN wanted USING (id)
$$ $create$, 'telltale.', home);
END
$do$;
-- +goose StatementEnd

-- The readings of the last hour and those that come from the future, for a quick look.
CREATE VIEW recent_readings AS SELECT * FROM readings(NULL, NULL, now() - interval '1 hour', NULL);
