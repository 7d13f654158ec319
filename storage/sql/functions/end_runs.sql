-- needs: functions/end_run
-- Ends many runs as end_run does one, and returns those that had not finished. All who lock several runs, or
-- several rollups, in one transaction do so in one order, so that none waits for another in a circle: the runs by
-- (enqueued_at, run_id), then the rollups by (width_s, job, queue, bucket), then those of queues by (width_s, queue,
-- bucket), as the recorder does.
CREATE OR REPLACE FUNCTION callboard.end_runs(
    p_run_ids uuid[],
    p_state text,
    p_reason text DEFAULT NULL,
    p_by text DEFAULT session_user
) RETURNS SETOF uuid
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM FROM callboard.runs r
      WHERE r.run_id = ANY (p_run_ids) AND r.state IN ('pending', 'processing')
      ORDER BY r.enqueued_at, r.run_id
        FOR UPDATE;
    -- Each is counted at its end, and one whose first attempt runs at its start too.
    INSERT INTO callboard.rollups AS r (width_s, job, queue, bucket)
    SELECT DISTINCT width, ending.job, ending.queue,
           date_bin(width * interval '1 second', moment, timestamptz 'epoch')
      FROM callboard.runs ending
           CROSS JOIN LATERAL (
               VALUES (now()),
                      (CASE WHEN ending.state = 'processing' AND ending.attempt = 1 THEN ending.started_at END)
           ) AS counted (moment)
           CROSS JOIN (VALUES (60), (3600), (86400)) AS widths (width)
     WHERE ending.run_id = ANY (p_run_ids) AND ending.state IN ('pending', 'processing') AND moment IS NOT NULL
     ORDER BY 1, 2, 3, 4
    ON CONFLICT (width_s, job, queue, bucket) DO UPDATE SET started = r.started;
    IF p_state IN ('succeeded', 'failed', 'dead') THEN
        INSERT INTO callboard.queue_rollups AS r (width_s, queue, bucket)
        SELECT DISTINCT width, ending.queue, date_bin(width * interval '1 second', now(), timestamptz 'epoch')
          FROM callboard.runs ending CROSS JOIN (VALUES (60), (3600), (86400)) AS widths (width)
         WHERE ending.run_id = ANY (p_run_ids) AND ending.state IN ('pending', 'processing')
         ORDER BY 1, 2, 3
        ON CONFLICT (width_s, queue, bucket) DO UPDATE SET finished = r.finished;
    END IF;
    RETURN QUERY
    SELECT each.run_id
      FROM unnest(p_run_ids) AS each (run_id)
     WHERE callboard.end_run(each.run_id, p_state, p_reason => p_reason, p_by => p_by);
END
$$;

COMMENT ON FUNCTION callboard.end_runs(uuid[], text, text, text) IS
    'Ends unfinished runs in a final state and tells the fleet; returns those that had not finished already.';
