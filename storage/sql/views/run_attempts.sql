-- Grain: one row per execution of a run. Those of callboard.attempts, and from callboard.runs the last execution
-- of each run where no row of its own was written: it is running, or it was the only one and succeeded.
CREATE OR REPLACE VIEW callboard.run_attempts AS
SELECT run_id, enqueued_at, attempt, execution_id, state, started_at, finished_at, duration_ms, worker,
       error_type, error, traceback, reason
  FROM callboard.attempts
UNION ALL
SELECT r.run_id, r.enqueued_at, r.attempt, r.execution_id, r.state, r.attempt_started_at, r.finished_at,
       r.duration_ms, r.worker, r.error_type, r.error, r.traceback, r.reason
  FROM callboard.runs r
 WHERE r.attempt_started_at IS NOT NULL
   AND r.state <> 'pending'
   AND NOT EXISTS (
       SELECT FROM callboard.attempts a
        WHERE a.run_id = r.run_id AND a.enqueued_at = r.enqueued_at AND a.execution_id = r.execution_id);

COMMENT ON VIEW callboard.run_attempts IS 'One row per execution of a run. Ask for one run, by run_id and enqueued_at.';
