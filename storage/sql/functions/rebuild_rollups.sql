-- needs: functions/hist_of, functions/ms_between, functions/sum_queue_rollups
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
    LOCK TABLE callboard.rollups, callboard.queue_rollups IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM callboard.rollups WHERE width_s = ANY (p_widths) AND bucket >= v_from AND bucket < v_to;
    FOREACH v_width IN ARRAY p_widths LOOP
        INSERT INTO callboard.rollups (
            width_s, bucket, job, queue, started, succeeded, failed, cancelled, cancelled_running, skipped, dead,
            retried, duration_sum_ms, duration_min_ms, duration_max_ms, wait_sum_ms, wait_max_ms,
            duration_hist, wait_hist, last_run_at, last_success_at, last_failure_at,
            busy_sum_ms, lag_sum_ms, delay_sum_ms, hand_sum_ms,
            held_pause_ms, held_mutex_ms, held_limit_ms, held_breaker_ms, held_overlap_ms
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
               max(moment) FILTER (WHERE kind IN ('failed', 'dead')),
               coalesce(sum(busy_ms), 0),
               coalesce(sum(lag_ms), 0), coalesce(sum(delay_ms), 0), coalesce(sum(hand_ms), 0),
               sum((held ->> 'pause')::bigint), sum((held ->> 'mutex')::bigint),
               sum((held ->> 'limit')::bigint), sum((held ->> 'breaker')::bigint),
               sum((held ->> 'overlap')::bigint)
          FROM (
                SELECT 'start' AS kind, started_at AS moment, job, queue, true AS had_started,
                       NULL::integer AS duration_ms, NULL::integer AS busy_ms,
                       NULL::bigint AS wait_ms, NULL::bigint AS lag_ms,
                       NULL::bigint AS delay_ms, NULL::bigint AS hand_ms, NULL::jsonb AS held
                  FROM callboard.runs
                 WHERE started_at >= v_from AND started_at < v_to
                   AND (attempt > 1 OR state NOT IN ('pending', 'processing'))
                UNION ALL
                SELECT state, finished_at, job, queue, started_at IS NOT NULL,
                       CASE WHEN state IN ('succeeded', 'failed') THEN runs.duration_ms END, runs.duration_ms,
                       CASE WHEN waited THEN runs.wait_ms END,
                       CASE WHEN waited THEN callboard.ms_between(due_at, enqueued_at) END,
                       CASE WHEN waited THEN callboard.ms_between(enqueued_at, ready_at) END,
                       CASE WHEN waited THEN
                           least(runs.wait_ms, callboard.ms_between(fetched_at, attempt_started_at)) END,
                       CASE WHEN waited THEN runs.held END
                  FROM callboard.runs,
                       LATERAL (SELECT state IN ('succeeded', 'failed') AND attempt = 1
                                       AND runs.wait_ms IS NOT NULL AS waited) AS its
                 WHERE finished_at >= v_from AND finished_at < v_to
                   AND state IN ('succeeded', 'failed', 'cancelled', 'skipped', 'dead')
                UNION ALL
                SELECT 'retry', a.finished_at, r.job, r.queue, true, NULL, a.duration_ms, NULL, NULL, NULL, NULL, NULL
                  FROM callboard.attempts a
                  JOIN callboard.runs r ON r.run_id = a.run_id AND r.enqueued_at = a.enqueued_at
                 WHERE a.finished_at >= v_from AND a.finished_at < v_to AND a.attempt < r.attempt
                   AND a.error_type IS DISTINCT FROM 'WorkerLost'
               ) AS event
         GROUP BY 2, 3, 4;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        v_made := v_made + v_rows;
    END LOOP;
    PERFORM callboard.sum_queue_rollups(v_from, v_to, p_widths);
    RETURN v_made;
END
$$;

COMMENT ON FUNCTION callboard.rebuild_rollups(timestamptz, timestamptz, integer[]) IS
    'Makes the rollups of the days that the window touches anew from the runs; returns how many rows.';
