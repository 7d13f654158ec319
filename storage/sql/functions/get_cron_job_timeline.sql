-- One row an hour (UTC), the earliest first, empty hours included; the last one is the present hour, and the
-- first one holds only what lies within the last p_hours hours (from minute rollups, while there are any).
CREATE OR REPLACE FUNCTION public.get_cron_job_timeline(p_job_name text, p_hours integer DEFAULT 24)
RETURNS TABLE (
    time_bucket timestamptz,
    executions bigint,
    successes bigint,
    failures bigint,
    avg_duration_ms integer
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH span AS (
        SELECT date_trunc('minute', now() - p_hours * interval '1 hour') AS since,
               date_trunc('hour', now() - p_hours * interval '1 hour', 'UTC') AS first_hour,
               date_trunc('hour', now() - p_hours * interval '1 hour' + interval '59 minutes 59.999999 seconds', 'UTC')
                   AS first_whole_hour
    ), rollup AS (
        SELECT date_trunc('hour', r.bucket, 'UTC') AS hour, r.succeeded,
               r.failed + r.dead + r.cancelled_running AS failed, r.succeeded + r.failed AS durations,
               r.duration_sum_ms
          FROM callboard.rollups r, span
         WHERE r.job = p_job_name
           AND (   (r.width_s = 3600 AND r.bucket >= span.first_whole_hour)
                OR (r.width_s = 60 AND r.bucket >= span.since AND r.bucket < span.first_whole_hour))
    )
    SELECT series.hour,
           coalesce(sum(r.succeeded + r.failed), 0)::bigint,
           coalesce(sum(r.succeeded), 0)::bigint,
           coalesce(sum(r.failed), 0)::bigint,
           round(sum(r.duration_sum_ms) / nullif(sum(r.durations), 0))::integer
      FROM span,
           generate_series(span.first_hour, date_trunc('hour', now(), 'UTC'), interval '1 hour') AS series (hour)
      LEFT JOIN rollup r ON r.hour = series.hour
     GROUP BY series.hour
     ORDER BY series.hour
$$;

COMMENT ON FUNCTION public.get_cron_job_timeline(text, integer) IS
    'Public contract: the finished runs of a job, hour by hour, over the last so many hours.';
