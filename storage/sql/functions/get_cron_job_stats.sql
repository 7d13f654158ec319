-- needs: functions/rollups_between
-- One row, also for a job that never ran. Finished runs of the last p_days days, from rollups.
CREATE OR REPLACE FUNCTION public.get_cron_job_stats(p_job_name text, p_days integer DEFAULT 30)
RETURNS TABLE (
    total_runs bigint,
    successful_runs bigint,
    failed_runs bigint,
    success_rate numeric,
    avg_duration_ms integer,
    min_duration_ms integer,
    max_duration_ms integer,
    last_run_at timestamptz,
    last_success_at timestamptz,
    last_failure_at timestamptz
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT s.successes + s.failures,
           s.successes,
           s.failures,
           round(100.0 * s.successes / nullif(s.successes + s.failures, 0), 2),
           round(s.duration_sum_ms / nullif(s.durations, 0))::integer,
           s.duration_min_ms,
           s.duration_max_ms,
           s.last_run_at,
           s.last_success_at,
           s.last_failure_at
      FROM (SELECT coalesce(sum(r.succeeded), 0) AS successes,
                   coalesce(sum(r.failed + r.dead + r.cancelled_running), 0) AS failures,
                   sum(r.succeeded + r.failed) AS durations,
                   sum(r.duration_sum_ms) AS duration_sum_ms,
                   min(r.duration_min_ms) AS duration_min_ms,
                   max(r.duration_max_ms) AS duration_max_ms,
                   max(r.last_run_at) AS last_run_at,
                   max(r.last_success_at) AS last_success_at,
                   max(r.last_failure_at) AS last_failure_at
              FROM callboard.rollups_between(now() - p_days * interval '24 hours') AS r
             WHERE r.job = p_job_name) AS s
$$;

COMMENT ON FUNCTION public.get_cron_job_stats(text, integer) IS
    'Public contract: how the finished runs of a job went in the last so many days (of 24 hours, to the minute).';
