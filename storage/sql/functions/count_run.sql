-- needs: functions/hist_of, functions/hist_add
-- Counts what SQL itself does to one run (the recorder counts its own, in batches): its start, its end, or both.
CREATE OR REPLACE FUNCTION callboard.count_run(
    p_job text,
    p_queue text,
    p_started_at timestamptz,   -- NULL: its start is counted already
    p_finished_at timestamptz,  -- NULL: it has not finished
    p_state text,
    p_duration_ms integer,
    p_wait_ms bigint,
    p_had_started boolean
) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO callboard.rollups AS r (
        width_s, bucket, job, queue, started, succeeded, failed, cancelled, cancelled_running, skipped, dead,
        duration_sum_ms, duration_min_ms, duration_max_ms, wait_sum_ms, wait_max_ms, duration_hist, wait_hist,
        last_run_at, last_success_at, last_failure_at, busy_sum_ms
    )
    SELECT width, date_bin(width * interval '1 second', moment, timestamptz 'epoch'), p_job, p_queue,
           count(*) FILTER (WHERE kind = 'start'),
           count(*) FILTER (WHERE kind = 'succeeded'),
           count(*) FILTER (WHERE kind = 'failed'),
           count(*) FILTER (WHERE kind = 'cancelled'),
           count(*) FILTER (WHERE kind = 'cancelled' AND p_had_started),
           count(*) FILTER (WHERE kind = 'skipped'),
           count(*) FILTER (WHERE kind = 'dead'),
           coalesce(sum(p_duration_ms) FILTER (WHERE kind IN ('succeeded', 'failed')), 0),
           min(p_duration_ms) FILTER (WHERE kind IN ('succeeded', 'failed')),
           max(p_duration_ms) FILTER (WHERE kind IN ('succeeded', 'failed')),
           coalesce(sum(p_wait_ms) FILTER (WHERE kind IN ('succeeded', 'failed')), 0),
           max(p_wait_ms) FILTER (WHERE kind IN ('succeeded', 'failed')),
           callboard.hist_of(array_agg(p_duration_ms) FILTER (WHERE kind IN ('succeeded', 'failed'))),
           callboard.hist_of(array_agg(p_wait_ms) FILTER (WHERE kind IN ('succeeded', 'failed'))),
           max(moment) FILTER (WHERE kind = 'start'),
           max(moment) FILTER (WHERE kind = 'succeeded'),
           max(moment) FILTER (WHERE kind IN ('failed', 'dead')),
           coalesce(sum(p_duration_ms) FILTER (WHERE kind <> 'start'), 0)
      FROM (VALUES ('start', p_started_at), (p_state, p_finished_at)) AS event (kind, moment)
           CROSS JOIN (VALUES (60), (3600), (86400)) AS widths (width)
     WHERE moment IS NOT NULL
     GROUP BY 1, 2
     ORDER BY 1, 2
    ON CONFLICT (width_s, job, queue, bucket) DO UPDATE SET
        started = r.started + excluded.started,
        succeeded = r.succeeded + excluded.succeeded,
        failed = r.failed + excluded.failed,
        cancelled = r.cancelled + excluded.cancelled,
        cancelled_running = r.cancelled_running + excluded.cancelled_running,
        skipped = r.skipped + excluded.skipped,
        dead = r.dead + excluded.dead,
        duration_sum_ms = r.duration_sum_ms + excluded.duration_sum_ms,
        duration_min_ms = least(r.duration_min_ms, excluded.duration_min_ms),
        duration_max_ms = greatest(r.duration_max_ms, excluded.duration_max_ms),
        wait_sum_ms = r.wait_sum_ms + excluded.wait_sum_ms,
        wait_max_ms = greatest(r.wait_max_ms, excluded.wait_max_ms),
        duration_hist = callboard.hist_add(r.duration_hist, excluded.duration_hist),
        wait_hist = callboard.hist_add(r.wait_hist, excluded.wait_hist),
        last_run_at = greatest(r.last_run_at, excluded.last_run_at),
        last_success_at = greatest(r.last_success_at, excluded.last_success_at),
        last_failure_at = greatest(r.last_failure_at, excluded.last_failure_at),
        busy_sum_ms = coalesce(r.busy_sum_ms, r.duration_sum_ms) + excluded.busy_sum_ms;

    INSERT INTO callboard.queue_rollups AS r (
        width_s, bucket, queue, finished, failed, duration_hist, wait_hist, wait_sum_ms
    )
    SELECT width, date_bin(width * interval '1 second', p_finished_at, timestamptz 'epoch'), p_queue,
           1, (p_state <> 'succeeded')::integer,
           callboard.hist_of(ARRAY[CASE WHEN p_state <> 'dead' THEN p_duration_ms::double precision END]),
           callboard.hist_of(ARRAY[CASE WHEN p_state <> 'dead' THEN p_wait_ms::double precision END]),
           CASE WHEN p_state <> 'dead' THEN coalesce(p_wait_ms, 0) ELSE 0 END
      FROM (VALUES (60), (3600), (86400)) AS widths (width)
     WHERE p_finished_at IS NOT NULL AND p_state IN ('succeeded', 'failed', 'dead')
     ORDER BY width
    ON CONFLICT (width_s, queue, bucket) DO UPDATE SET
        finished = r.finished + excluded.finished,
        failed = r.failed + excluded.failed,
        duration_hist = callboard.hist_add(r.duration_hist, excluded.duration_hist),
        wait_hist = callboard.hist_add(r.wait_hist, excluded.wait_hist),
        wait_sum_ms = r.wait_sum_ms + excluded.wait_sum_ms
$$;

COMMENT ON FUNCTION callboard.count_run(text, text, timestamptz, timestamptz, text, integer, bigint, boolean) IS
    'Adds the start of one run, its end, or both, to the rollups of all widths.';
