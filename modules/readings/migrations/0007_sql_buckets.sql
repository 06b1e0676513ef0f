-- +goose Up

-- Readings summed up in buckets, for SQL users. As with the functions of 0002_sql.sql, what it answers depends on nothing that a
-- session, a role or a database can set. Arguments are those of readings, and
--
--   width  of a bucket: whole months and years, or any other whole number of milliseconds. Whole weeks begin on Monday. Other widths are
--          counted from 1970-01-01. 24 hours are a day.
--   tz     the time zone of buckets of whole days and longer, by its name in the tz database, such as Europe/Berlin. NULL is UTC.
--
-- ts is the bucket's start. A bucket without readings has no row.
--
-- A chunk is answered from the statistics in its row where it lies whole within one bucket and within the bounds, and the log has
-- nothing of its time; else each hour of a day is likewise, where the row has the hours' statistics; what is left is opened. Numbers
-- of time are Unix ms. Compiling the plan's many expressions would take seconds, hence jit = off.
-- +goose StatementBegin
DO $do$
DECLARE
    home text := (
        SELECT quote_ident(n.nspname) || '.' FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = 'log_state'::regclass);
    -- The number of the bucket that an instant is in.
    bucket constant text := $bucket$CASE WHEN (SELECT edges FROM grid) IS NULL
            THEN pg_catalog.floor((\1 - (SELECT origin FROM grid)) / (SELECT millis FROM grid))
            ELSE pg_catalog.width_bucket(\1, (SELECT edges FROM grid)) END$bucket$;
BEGIN
    EXECUTE replace(regexp_replace($create$
CREATE FUNCTION telltale.readings_buckets(devices text[], metrics text[], since timestamptz, until timestamptz, width interval, tz text)
RETURNS TABLE (
    device text, metric text, ts timestamptz, count bigint, min double precision, max double precision,
    avg double precision, sum double precision, first double precision, last double precision)
LANGUAGE sql STABLE ROWS 10000 SET jit = off AS $$
WITH wanted AS (
    SELECT *, pg_catalog.date_part('epoch', since) * 1000 AS since_ms, coalesce(pg_catalog.date_part('epoch', $4) * 1000, 'Infinity') AS until_ms
    FROM telltale.selected_series($1, $2, $3)
), unfolded AS MATERIALIZED (
    SELECT * FROM telltale.unfolded_readings($1, $2, $3, $4)
), touched AS MATERIALIZED (
    -- The hours, days and months that these are in: statistics of chunks lack them.
    SELECT DISTINCT id, span, start_at
    FROM unfolded CROSS JOIN LATERAL (VALUES
        (1, pg_catalog.date_trunc('hour', ts AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'),
        (24, pg_catalog.date_trunc('day', ts AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'),
        (25, pg_catalog.date_trunc('month', ts AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')
    ) AS around (span, start_at)
), asked AS MATERIALIZED (
    SELECT months, millis, step, zone,
        CASE WHEN days > 0 AND days % 7 = 0 AND millis = days * 86400000 THEN -259200000 ELSE 0 END AS origin, -- 1969-12-29, a Monday
        months > 0 OR millis % 86400000 = 0 AND zone <> 'UTC' AS calendar
    FROM (
        SELECT (pg_catalog.date_part('year', $5) * 12 + pg_catalog.date_part('month', $5))::integer AS months, pg_catalog.date_part('day', $5)::bigint AS days
    ) AS parts
    CROSS JOIN LATERAL (
        SELECT pg_catalog.round(pg_catalog.date_part('epoch', $5 - pg_catalog.make_interval(0, months)) * 1000)::bigint AS millis
    ) AS rest
    CROSS JOIN LATERAL (
        SELECT CASE WHEN (months > 0 AND millis = 0 OR months = 0 AND millis > 0) AND pg_catalog.date_part('microseconds', $5)::bigint % 1000 = 0 THEN $5
            ELSE ('the width must be whole months, or whole milliseconds, and positive; not ' || coalesce($5::text, 'null'))::interval
            END AS step,
            CASE WHEN coalesce($6, 'UTC') IN ('UTC', 'utc', 'Etc/UTC') THEN 'UTC'
            -- What other names without a slash mean may be a setting: they can be abbreviations.
            WHEN $6 ~ '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)+$' THEN $6
            ELSE ('tz must be UTC or a name such as Europe/Berlin, not ' || $6)::interval::text
            END AS zone
    ) AS valid
), grid AS MATERIALIZED (
    -- Buckets of a calendar begin at edges; others are millis wide, and one of them begins at origin.
    SELECT origin::float8 AS origin, millis::float8 AS millis, CASE WHEN calendar THEN ARRAY(
        -- The first instant at which the zone's clocks show wall or a later time: midnight may come twice, or be skipped.
        SELECT pg_catalog.date_part('epoch', CASE
            WHEN early AT TIME ZONE zone >= wall THEN early
            ELSE (
                SELECT pg_catalog.min(at) FROM pg_catalog.generate_series(late, early, interval '-1 minute') AS at
                WHERE at AT TIME ZONE zone >= wall)
            END) * 1000
        FROM (
            SELECT CASE WHEN $3 > '-infinity' THEN greatest($3, 'epoch') ELSE least(
                (SELECT pg_catalog.min(start_at) FROM telltale.reading_chunks WHERE series_id IN (SELECT id FROM wanted)),
                (SELECT pg_catalog.min(unfolded.ts) FROM unfolded))
                END AT TIME ZONE 'UTC' - interval '2 days' AS first,
                least('epoch'::timestamptz + 7258118400 * interval '1 second', CASE WHEN $4 < 'infinity' THEN $4 ELSE greatest(
                (SELECT pg_catalog.max(start_at) FROM telltale.reading_chunks WHERE series_id IN (SELECT id FROM wanted)) + interval '744 hours',
                (SELECT pg_catalog.max(unfolded.ts) FROM unfolded))
                END) AT TIME ZONE 'UTC' + interval '2 days' AS last
            OFFSET 0
        ) AS range
        CROSS JOIN LATERAL pg_catalog.generate_series('epoch'::timestamp + CASE WHEN months > 0
                THEN pg_catalog.floor(((pg_catalog.date_part('year', range.first) - 1970) * 12 + pg_catalog.date_part('month', range.first) - 1) / months) * step
                ELSE (pg_catalog.floor((pg_catalog.date_part('epoch', range.first) * 1000 - origin) / millis) * millis + origin) * interval '1 millisecond'
                END, range.last, step) AS wall
        CROSS JOIN LATERAL (
            SELECT wall AT TIME ZONE 'UTC' AS utc,
                ((wall AT TIME ZONE 'UTC' - interval '26 hours') AT TIME ZONE zone) - (wall - interval '26 hours') AS before,
                ((wall AT TIME ZONE 'UTC' + interval '26 hours') AT TIME ZONE zone) - (wall + interval '26 hours') AS after
            OFFSET 0
        ) AS offsets
        CROSS JOIN LATERAL (SELECT utc - greatest(before, after) AS early, utc - least(before, after) AS late OFFSET 0) AS around
        ORDER BY wall
    ) END AS edges
    FROM asked
)
SELECT wanted.device_id, wanted.metric,
    'epoch'::timestamptz + CASE WHEN (SELECT edges FROM grid) IS NULL THEN total.bucket * (SELECT millis FROM grid) + (SELECT origin FROM grid)
        ELSE (SELECT edges FROM grid)[total.bucket::integer] END * interval '1 millisecond',
    total.count::bigint, total.min, total.max,
    -- PostgreSQL refuses to round a result to zero or to infinity.
    least(total.max, greatest(total.min, CASE
        WHEN total.scaled IS NULL AND pg_catalog.abs(total.sum) < total.count * '5e-324'::float8 THEN 0
        WHEN total.scaled IS NULL THEN total.sum / total.count
        WHEN pg_catalog.abs(total.scaled / total.count) < 2 ^ 960::float8 THEN total.scaled / total.count * 2 ^ 64::float8
        ELSE pg_catalog.sign(total.scaled) * 'Infinity'::float8
        END)),
    CASE WHEN total.scaled IS NULL THEN total.sum
        WHEN pg_catalog.abs(total.scaled) < 2 ^ 960::float8 THEN total.scaled * 2 ^ 64::float8
        ELSE pg_catalog.sign(total.scaled) * 'Infinity'::float8 END,
    total.first[2], total.last[2]
FROM (
    SELECT id, bucket, count, min, max, first, last, sum,
        -- The sum divided by 2^64, where it may be beyond the range of a float8.
        large + CASE WHEN pg_catalog.abs(sum) < 1 THEN 0 ELSE sum / 2 ^ 64::float8 END AS scaled
    FROM (
        SELECT piece.id, bucket[[piece.at]] AS bucket,
            pg_catalog.sum(piece.count) AS count, pg_catalog.min(piece.min) AS min, pg_catalog.max(piece.max) AS max,
            pg_catalog.sum(CASE WHEN pg_catalog.abs(piece.sum) < 1e290::float8 THEN piece.sum ELSE 0 END) AS sum,
            pg_catalog.sum(CASE WHEN pg_catalog.abs(piece.sum) < 1e290::float8 THEN NULL
                WHEN pg_catalog.abs(piece.sum) = 'Infinity' THEN piece.sum_rest ELSE piece.sum / 2 ^ 64::float8 END) AS large,
            pg_catalog.min(ARRAY[piece.at, piece.first]) AS first, pg_catalog.max(ARRAY[piece.at, piece.last]) AS last
        FROM (
            -- Pieces of a series that lie within one bucket: statistics, or single readings. Each OFFSET 0 has what is above it computed once.
            SELECT c.id, part.*
            FROM (
                -- hourly has for each hour, in this order: count, min, max, first, last, sum, sum_rest (hours.go).
                SELECT *, CASE WHEN hourly_values IS NOT NULL THEN ARRAY(
                    SELECT start + h * 3600000 >= since_ms AND start + h * 3600000 + 3600000 <= until_ms
                        AND bucket[[(start + h * 3600000)]] = bucket[[(start + h * 3600000 + 3599999)]]
                        AND NOT (is_touched AND (id, start_at + h * interval '1 hour') IN (SELECT id, start_at FROM touched WHERE span = 1))
                    FROM pg_catalog.generate_series(0, 23) AS h ORDER BY h
                ) END AS whole_hours
                FROM (
                    SELECT *, CASE WHEN NOT whole AND hourly IS NOT NULL AND ((SELECT edges FROM grid) IS NOT NULL OR (SELECT millis FROM grid) >= 3600000)
                        THEN ARRAY(SELECT value FROM telltale.chunk_readings('epoch', hourly, NULL, NULL) ORDER BY n) END AS hourly_values
                    FROM (
                        SELECT *, NOT is_touched AND start >= since_ms AND start + hours * 3600000.0::float8 <= until_ms
                            AND bucket[[start]] = bucket[[(start + hours * 3600000.0::float8 - 1)]] AS whole
                        FROM (
                            SELECT wanted.id, wanted.since, wanted.since_ms, wanted.until_ms, stored.*,
                                pg_catalog.date_part('epoch', stored.start_at) * 1000 AS start,
                                (wanted.id, least(stored.hours, 25), stored.start_at) IN (SELECT id, span, start_at FROM touched) AS is_touched
                            FROM wanted
                            CROSS JOIN LATERAL (
                                SELECT * FROM telltale.reading_chunks
                                WHERE series_id = wanted.id AND start_at = pg_catalog.date_trunc('month', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
                                    AND start_at < pg_catalog.date_trunc('hour', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AND hours > 24
                                UNION ALL
                                SELECT * FROM telltale.reading_chunks
                                WHERE series_id = wanted.id AND start_at = pg_catalog.date_trunc('day', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
                                    AND start_at < pg_catalog.date_trunc('hour', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AND hours = 24
                                UNION ALL
                                SELECT * FROM telltale.reading_chunks
                                WHERE series_id = wanted.id
                                    AND start_at >= coalesce(pg_catalog.date_trunc('hour', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC', '-infinity')
                                    AND start_at < coalesce($4, 'infinity')
                            ) AS stored
                            WHERE stored.start_at + stored.hours * interval '1 hour' > wanted.since
                            OFFSET 0
                        ) AS placed
                        OFFSET 0
                    ) AS checked
                    OFFSET 0
                ) AS opened
                OFFSET 0
            ) AS c
            CROSS JOIN LATERAL (
                SELECT c.start AS at, c.count::float8 AS count, c.min, c.max, c.sum, c.sum_rest, c.first, c.last
                WHERE c.whole
                UNION ALL
                SELECT c.start + h * 3600000, c.hourly_values[h + 1], c.hourly_values[h + 25], c.hourly_values[h + 49],
                    c.hourly_values[h + 121], c.hourly_values[h + 145], c.hourly_values[h + 73], c.hourly_values[h + 97]
                FROM pg_catalog.generate_series(0, 23) AS h
                WHERE c.whole_hours[h + 1] AND c.hourly_values[h + 1] > 0
                UNION ALL
                SELECT pg_catalog.date_part('epoch', p.ts) * 1000, 1, p.value, p.value, p.value, 0, p.value, p.value
                FROM (
                    SELECT c.start_at, c.data, c.since, coalesce($4, 'infinity') AS until WHERE NOT c.whole AND c.hourly_values IS NULL
                    UNION ALL
                    SELECT c.start_at, c.data, greatest(c.since, c.start_at + h * interval '1 hour'), least($4, c.start_at + (h + 1) * interval '1 hour')
                    FROM pg_catalog.generate_series(0, 23) AS h
                    WHERE NOT c.whole_hours[h + 1] AND c.hourly_values[h + 1] > 0
                ) AS open
                CROSS JOIN LATERAL telltale.chunk_readings(open.start_at, open.data, open.since, open.until) AS p
                WHERE p.ts >= open.since AND p.ts < open.until
                    AND NOT (c.is_touched AND (c.id, p.ts) IN (SELECT unfolded.id, unfolded.ts FROM unfolded))
            ) AS part
            UNION ALL
            SELECT id, pg_catalog.date_part('epoch', ts) * 1000, 1, value, value, value, 0, value, value FROM unfolded
        ) AS piece
        GROUP BY 1, 2
    ) AS grouped
) AS total
JOIN wanted ON wanted.id = total.id
$$ $create$, $macro$bucket\[\[(.*?)\]\]$macro$, bucket, 'g'), 'telltale.', home);
END
$do$;
-- +goose StatementEnd
