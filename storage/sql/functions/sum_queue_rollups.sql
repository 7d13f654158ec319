-- needs: functions/hist_sum
-- The rollups of queues made anew from those of their jobs.
CREATE OR REPLACE FUNCTION callboard.sum_queue_rollups(
    p_from timestamptz,
    p_to timestamptz,
    p_widths integer[] DEFAULT ARRAY[60, 3600, 86400]
) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM callboard.queue_rollups WHERE width_s = ANY (p_widths) AND bucket >= p_from AND bucket < p_to;

    INSERT INTO callboard.queue_rollups (
        width_s, bucket, queue, finished, failed, duration_hist, wait_hist,
        wait_sum_ms, lag_sum_ms, delay_sum_ms, hand_sum_ms,
        held_pause_ms, held_mutex_ms, held_limit_ms, held_breaker_ms, held_overlap_ms
    )
    SELECT width_s, bucket, queue, sum(succeeded + failed + dead), sum(failed + dead),
           callboard.hist_sum(duration_hist), callboard.hist_sum(wait_hist),
           sum(wait_sum_ms), sum(lag_sum_ms), sum(delay_sum_ms), sum(hand_sum_ms),
           sum(held_pause_ms), sum(held_mutex_ms), sum(held_limit_ms), sum(held_breaker_ms), sum(held_overlap_ms)
      FROM callboard.rollups
     WHERE width_s = ANY (p_widths) AND bucket >= p_from AND bucket < p_to
     GROUP BY width_s, queue, bucket
    HAVING sum(succeeded + failed + dead) > 0;
$$;

COMMENT ON FUNCTION callboard.sum_queue_rollups(timestamptz, timestamptz, integer[]) IS
    'Makes the rollups of queues between two moments anew from those of their jobs.';
