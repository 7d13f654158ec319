-- Grain: one row per run that has started.
-- The status is the very expression of callboard.runs' partial indexes, which serve it.
CREATE OR REPLACE VIEW public.cron_job_logs AS
SELECT run_id AS id,
       job AS job_name,
       CAST(CASE state WHEN 'succeeded' THEN 'completed' WHEN 'processing' THEN 'started'
                       WHEN 'pending' THEN 'started' ELSE 'failed' END AS varchar(20)) AS status,
       started_at,
       finished_at AS completed_at,
       duration_ms,
       error AS error_message,
       attempt AS attempts,
       enqueued_at AS created_at
  FROM callboard.runs
 WHERE started_at IS NOT NULL AND state <> 'skipped';

COMMENT ON VIEW public.cron_job_logs IS
    'Public contract: one row per execution. INSERT adds one, UPDATE of a started one ends the run, DELETE removes a finished one.';
COMMENT ON COLUMN public.cron_job_logs.status IS
    '''started'' (running, or waiting for its next attempt), ''completed'', ''failed'' (also: cancelled while running).';
COMMENT ON COLUMN public.cron_job_logs.duration_ms IS 'Of the last attempt.';
COMMENT ON COLUMN public.cron_job_logs.created_at IS 'When it was enqueued.';
