-- At most p_limit finished runs enqueued from p_from on and before p_before, with their attempts and log lines; and
-- as many occurrences due in that time. Returns both numbers: call again while either is not 0.
CREATE OR REPLACE FUNCTION callboard.delete_old_runs(
    p_before timestamptz,
    p_limit integer,
    p_from timestamptz DEFAULT '-infinity',
    OUT runs bigint,
    OUT executions bigint,
    OUT occurrences bigint
)
LANGUAGE sql
AS $$
    WITH old AS MATERIALIZED (
        SELECT r.run_id, r.enqueued_at FROM callboard.runs r
         WHERE r.enqueued_at >= p_from AND r.enqueued_at < p_before AND r.state NOT IN ('pending', 'processing')
         LIMIT p_limit
    ), lines AS (
        DELETE FROM callboard.log_lines l USING old
         WHERE l.run_id = old.run_id AND l.enqueued_at = old.enqueued_at
           AND l.enqueued_at >= p_from AND l.enqueued_at < p_before
    ), tries AS (
        DELETE FROM callboard.attempts a USING old
         WHERE a.run_id = old.run_id AND a.enqueued_at = old.enqueued_at
           AND a.enqueued_at >= p_from AND a.enqueued_at < p_before
    ), gone AS (
        DELETE FROM callboard.runs r USING old
         WHERE r.run_id = old.run_id AND r.enqueued_at = old.enqueued_at
           AND r.enqueued_at >= p_from AND r.enqueued_at < p_before
        RETURNING r.started_at IS NOT NULL AND r.state <> 'skipped' AS listed
    ), slots AS (
        DELETE FROM callboard.occurrences o
         WHERE o.due_at >= p_from AND o.due_at < p_before
           AND (o.schedule_id, o.due_at) IN (
               SELECT schedule_id, due_at FROM callboard.occurrences
                WHERE due_at >= p_from AND due_at < p_before LIMIT p_limit)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM gone WHERE listed), (SELECT count(*) FROM slots)
$$;

COMMENT ON FUNCTION callboard.delete_old_runs(timestamptz, integer, timestamptz) IS
    'Deletes one batch of finished runs and of occurrences older than the moment.';
