-- needs: functions/hist_of
-- Rollups made anew from the runs that are (still) there: after an import, or for a test. The window is widened
-- to whole days, UTC. As with the recorder, a start counts once the first attempt has ended. Keep the recorder still meanwhile: what it commits during the rebuild may be lost from it.
CREATE OR REPLACE FUNCTION callboard.rebuild_rollups(
    p_from timestamptz,
    p_to timestamptz,
    p_widths integer[] DEFAULT ARRAY[60, 3600, 86400]
) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_from timestamptz := date_trunc('day', p_from, 'UTC');
    v_to timestamptz := date_trunc('day', p_to + interval '24 hours' - interval '1 microsecond', 'UTC');
    v_width integer;
    v_made bigint := 0;
    v_rows bigint;
BEGIN
    LOCK TABLE callboard.rollups IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM callboard.rollups WHERE width_s = ANY (p_widths) AND bucket >= v_from AND bucket < v_to;
    FOREACH v_width IN ARRAY p_widths LOOP
        INSERT INTO callboard.rollups (
            width_s, bucket, job, queue, started, succeeded, failed, cancelled, cancelled_running, skipped, dead,
            retried, duration_sum_ms, duration_min_ms, duration_max_ms, wait_sum_ms, wait_max_ms,
            duration_hist, wait_hist, last_run_at, last_success_at, last_failure_at
        )
        SELECT v_width, date_bin(v_width * interval '1 second', moment, timestamptz 'epoch'), job, queue,
               count(*) FILTER (WHERE kind = 'start'),
               count(*) FILTER (WHERE kind = 'succeeded'),
               count(*) FILTER (WHERE kind = 'failed'),
               count(*) FILTER (WHERE kind = 'cancelled'),
               count(*) FILTER (WHERE kind = 'cancelled' AND had_started),
               count(*) FILTER (WHERE kind = 'skipped'),
               count(*) FILTER (WHERE kind = 'dead'),
               count(*) FILTER (WHERE kind = 'retry'),
               coalesce(sum(duration_ms), 0), min(duration_ms), max(duration_ms),
               coalesce(sum(wait_ms), 0), max(wait_ms),
               callboard.hist_of(array_agg(duration_ms)), callboard.hist_of(array_agg(wait_ms)),
               max(moment) FILTER (WHERE kind = 'start'),
               max(moment) FILTER (WHERE kind = 'succeeded'),
               max(moment) FILTER (WHERE kind IN ('failed', 'dead'))
          FROM (
                SELECT 'start' AS kind, started_at AS moment, job, queue, true AS had_started,
                       NULL::integer AS duration_ms, NULL::bigint AS wait_ms
                  FROM callboard.runs
                 WHERE started_at >= v_from AND started_at < v_to
                   AND (attempt > 1 OR state NOT IN ('pending', 'processing'))
                UNION ALL
                SELECT state, finished_at, job, queue, started_at IS NOT NULL,
                       CASE WHEN state IN ('succeeded', 'failed') THEN runs.duration_ms END,
                       CASE WHEN state IN ('succeeded', 'failed') AND attempt = 1 THEN runs.wait_ms END
                  FROM callboard.runs
                 WHERE finished_at >= v_from AND finished_at < v_to
                   AND state IN ('succeeded', 'failed', 'cancelled', 'skipped', 'dead')
                UNION ALL
                SELECT 'retry', a.finished_at, r.job, r.queue, true, NULL, NULL
                  FROM callboard.attempts a
                  JOIN callboard.runs r ON r.run_id = a.run_id AND r.enqueued_at = a.enqueued_at
                 WHERE a.finished_at >= v_from AND a.finished_at < v_to AND a.attempt < r.attempt
                   AND a.error_type IS DISTINCT FROM 'WorkerLost'
               ) AS event
         GROUP BY 2, 3, 4;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        v_made := v_made + v_rows;
    END LOOP;
    RETURN v_made;
END
$$;

COMMENT ON FUNCTION callboard.rebuild_rollups(timestamptz, timestamptz, integer[]) IS
    'Makes the rollups of the days that the window touches anew from the runs; returns how many rows.';
