-- +goose Up

-- What the sum lacks of the true one, which rounding cut off. Where the true one is beyond the range of a float8, sum is
-- infinite, and sum_rest the true sum divided by 2^64. Sums written before are taken as they are.
ALTER TABLE reading_chunks ADD COLUMN sum_rest double precision NOT NULL DEFAULT 0;
ALTER TABLE reading_days ADD COLUMN sum_rest double precision NOT NULL DEFAULT 0;

-- Those that left the range have lost their mean: they are made again. 1.8446744073709552e19 is 2^64.
WITH again AS (
    SELECT series_id, start_at, (
        SELECT sum(CASE WHEN abs(v) >= 1 THEN v / 1.8446744073709552e19::float8 ELSE 0 END) FROM unnest(value) AS v
    ) AS scaled
    FROM reading_chunks WHERE sum IN ('Infinity', '-Infinity', 'NaN')
), judged AS (
    SELECT *, abs(scaled) <= 1.7976931348623157e308::float8 / 1.8446744073709552e19::float8 AS fits FROM again
)
UPDATE reading_chunks AS c
SET sum = CASE WHEN fits THEN scaled * 1.8446744073709552e19::float8 WHEN scaled < 0 THEN '-Infinity' ELSE 'Infinity' END,
    sum_rest = CASE WHEN fits THEN 0 ELSE scaled END
FROM judged WHERE c.series_id = judged.series_id AND c.start_at = judged.start_at;

WITH again AS (
    SELECT d.series_id, d.start_at, sum(CASE
        WHEN c.sum IN ('Infinity', '-Infinity') THEN c.sum_rest
        WHEN abs(c.sum) >= 1 THEN c.sum / 1.8446744073709552e19::float8 ELSE 0 END ORDER BY c.start_at) AS scaled
    FROM reading_days AS d JOIN reading_chunks AS c
        ON c.series_id = d.series_id AND c.start_at >= d.start_at AND c.start_at < d.start_at + interval '24 hours'
    WHERE d.sum IN ('Infinity', '-Infinity', 'NaN')
    GROUP BY d.series_id, d.start_at
), judged AS (
    SELECT *, abs(scaled) <= 1.7976931348623157e308::float8 / 1.8446744073709552e19::float8 AS fits FROM again
)
UPDATE reading_days AS d
SET sum = CASE WHEN fits THEN scaled * 1.8446744073709552e19::float8 WHEN scaled < 0 THEN '-Infinity' ELSE 'Infinity' END,
    sum_rest = CASE WHEN fits THEN 0 ELSE scaled END
FROM judged WHERE d.series_id = judged.series_id AND d.start_at = judged.start_at;

-- The function readings as before, but for this: what it answers depends on nothing that a session, a role or a database can
-- set. Hours, days and months are those of UTC, and names are those of the schema that the tables are in, which need not be in
-- search_path. A SET clause would do the latter too, and keep the function from becoming a part of the query that calls it.
-- +goose StatementBegin
DO $do$
BEGIN
    EXECUTE replace($create$
CREATE OR REPLACE FUNCTION telltale.readings(devices text[], metrics text[], since timestamptz, until timestamptz)
RETURNS TABLE (device text, metric text, ts timestamptz, value double precision)
LANGUAGE sql STABLE ROWS 100000 AS $$
WITH wanted AS (
    SELECT s.id, s.device_id, s.metric,
        greatest(coalesce($3, '-infinity'),
            pg_catalog.now() - nullif(coalesce(d.retention_days, (SELECT retention_days FROM telltale.log_state)), 0) * interval '24 hours'
        ) AS since
    FROM telltale.series AS s JOIN telltale.devices AS d ON d.id = s.device_id
    WHERE ($1 IS NULL OR s.device_id = ANY ($1)) AND ($2 IS NULL OR s.metric = ANY ($2))
), unfolded AS MATERIALIZED (
    SELECT DISTINCT ON (id, ts) wanted.id, 'epoch'::timestamptz + r.ts * interval '1 millisecond' AS ts, r.value
    FROM telltale.reading_log AS l
    CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(l.series), pg_catalog.unnest(l.ts), pg_catalog.unnest(l.value)) WITH ORDINALITY AS r (id, ts, value, n)
    JOIN wanted ON wanted.id = r.id
    WHERE l.seq > (SELECT folded_seq FROM telltale.log_state)
        AND l.max_ts >= pg_catalog.floor(extract(epoch FROM coalesce($3, 'epoch')) * 1000)
        AND 'epoch'::timestamptz + r.ts * interval '1 millisecond' >= wanted.since
        AND 'epoch'::timestamptz + r.ts * interval '1 millisecond' < coalesce($4, 'infinity')
    ORDER BY id, ts, l.seq DESC, r.n DESC
)
SELECT wanted.device_id, wanted.metric, p.ts, p.value
FROM wanted
CROSS JOIN LATERAL (
    SELECT start_at, deltas, value FROM telltale.reading_chunks
    WHERE series_id = wanted.id AND start_at = pg_catalog.date_trunc('month', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
        AND start_at < pg_catalog.date_trunc('hour', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AND hours > 24
    UNION ALL
    SELECT start_at, deltas, value FROM telltale.reading_chunks
    WHERE series_id = wanted.id AND start_at = pg_catalog.date_trunc('day', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
        AND start_at < pg_catalog.date_trunc('hour', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AND hours = 24
    UNION ALL
    SELECT start_at, deltas, value FROM telltale.reading_chunks
    WHERE series_id = wanted.id
        AND start_at >= coalesce(pg_catalog.date_trunc('hour', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC', '-infinity')
        AND start_at < coalesce($4, 'infinity')
) AS c
CROSS JOIN LATERAL (
    SELECT c.start_at + pg_catalog.sum(coalesce(e.delta, c.deltas[pg_catalog.cardinality(c.deltas)])) OVER (ORDER BY e.n)
        * interval '1 millisecond' AS ts, e.value
    FROM ROWS FROM (pg_catalog.unnest(c.deltas), pg_catalog.unnest(c.value)) WITH ORDINALITY AS e (delta, value, n)
) AS p
WHERE p.ts >= wanted.since AND p.ts < coalesce($4, 'infinity')
    AND (wanted.id, p.ts) NOT IN (SELECT id, ts FROM unfolded)
UNION ALL
SELECT wanted.device_id, wanted.metric, unfolded.ts, unfolded.value FROM unfolded JOIN wanted USING (id)
$$ $create$, 'telltale.', (
        SELECT quote_ident(n.nspname) || '.' FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = 'log_state'::regclass));
END
$do$;
-- +goose StatementEnd
