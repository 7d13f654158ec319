-- Grain: one row per run. In two halves, so that a condition on the status reaches the indexes as one on the state.
CREATE OR REPLACE VIEW public.job_queue AS
SELECT run_id AS id,
       job AS task_type,
       coalesce(kwargs, '{}') AS payload,
       state AS status,
       CASE WHEN state = 'pending' OR started_at IS NULL THEN attempt - 1 ELSE attempt END AS attempts,
       max_attempts,
       coalesce(next_retry_at, ready_at, enqueued_at) AS run_at,
       coalesce(error, reason) AS last_error,
       enqueued_at AS created_at,
       started_at,
       finished_at AS completed_at,
       duration_ms,
       result,
       queue,
       requested_by
  FROM callboard.runs
 WHERE state <> 'dead'
UNION ALL
SELECT run_id, job, coalesce(kwargs, '{}'), 'failed',
       CASE WHEN started_at IS NULL THEN attempt - 1 ELSE attempt END, max_attempts,
       coalesce(next_retry_at, ready_at, enqueued_at), coalesce(error, reason), enqueued_at, started_at, finished_at,
       duration_ms, result, queue, requested_by
  FROM callboard.runs
 WHERE state = 'dead';

COMMENT ON VIEW public.job_queue IS
    'Public contract: one row per run, waiting ones included. job_queue_enqueue() adds one, DELETE removes a finished one.';
COMMENT ON COLUMN public.job_queue.status IS
    '''pending'', ''processing'', ''succeeded'', ''failed'' (also: could not be executed at all), ''cancelled'', ''skipped''.';
COMMENT ON COLUMN public.job_queue.attempts IS 'How often it was tried, the attempt under way included.';
COMMENT ON COLUMN public.job_queue.run_at IS 'When it is, or was, to run; after a failed attempt, when it is tried again.';
