SELECT coalesce(sum(within), 0)::bigint, coalesce(max(readings), 0)::bigint,
	concat_ws(' ', coalesce(sum(mark), 0), coalesce(sum(other), 0), (SELECT months FROM log_state),
	extract(epoch FROM pg_postmaster_start_time()), 'reading_chunks'::regclass::oid::bigint), (SELECT folded_seq FROM log_state)
FROM (
	SELECT sum(count) AS readings, sum(within) AS within,
		sum(CASE WHEN $6 THEN hashtextextended(state, 0)::numeric END) AS mark,
		sum(CASE WHEN $6 THEN hashtextextended(state, 1)::numeric END) AS other
	FROM (
		SELECT series_id, count,
			count * extract(epoch FROM least(start_at + hours * interval '1 hour', $3) - greatest(start_at, $2)) / (3600 * hours) AS within,
			concat_ws(' ', series_id, extract(epoch FROM start_at)::bigint, hours, xmin) AS state
		FROM reading_chunks
		WHERE series_id = ANY($1) AND start_at >= $4 AND start_at < $3 AND hours > 24
			AND start_at + hours * interval '1 hour' > $2
	UNION ALL
		SELECT series_id, count,
			count * extract(epoch FROM least(start_at + hours * interval '1 hour', $3) - greatest(start_at, $2)) / (3600 * hours),
			concat_ws(' ', series_id, extract(epoch FROM start_at)::bigint, hours, xmin)
		FROM reading_chunks
		WHERE series_id = ANY($1) AND start_at >= $5 AND hours <= 24 AND start_at + hours * interval '1 hour' > $2
			AND start_at < $7
	UNION ALL
		SELECT series_id, count, count, concat_ws(' ', series_id, extract(epoch FROM start_at)::bigint, 'day', xmin)
		FROM reading_days
		WHERE series_id = ANY($1) AND start_at >= $7 AND start_at < (SELECT greatest($7, least($8, closed_until)) FROM log_state)
	UNION ALL
		SELECT series_id, count,
			count * extract(epoch FROM least(start_at + hours * interval '1 hour', $3) - greatest(start_at, $2)) / (3600 * hours),
			concat_ws(' ', series_id, extract(epoch FROM start_at)::bigint, hours, xmin)
		FROM reading_chunks
		WHERE series_id = ANY($1) AND start_at >= $7
			AND start_at >= (SELECT greatest($7, least($8, closed_until)) FROM log_state)
			AND start_at < $3 AND hours <= 24
	) AS row
	GROUP BY series_id
) AS each
