SELECT wanted.n, chunk.*, (SELECT folded_seq FROM log_state), (SELECT months FROM log_state)
FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
	WITH ORDINALITY AS wanted (id, month, hour, since, until, n)
CROSS JOIN LATERAL ((
	SELECT start_at, hours, count, min, max, sum, sum_rest, first, last, data, NULL::bytea AS hourly
	FROM (
		SELECT * FROM reading_chunks
		WHERE series_id = wanted.id AND start_at >= $6 AND start_at < $8
			AND start_at >= wanted.month AND start_at < wanted.hour
		ORDER BY start_at DESC LIMIT 1
	) AS before
	WHERE start_at + hours * interval '1 hour' > wanted.hour
) UNION ALL (
	SELECT start_at, hours, count, min, max, sum, sum_rest, first, last, data, NULL::bytea AS hourly
	FROM reading_chunks
	WHERE series_id = wanted.id AND start_at >= $6 AND start_at < $7
		AND start_at >= wanted.hour
	ORDER BY start_at
)) AS chunk
