-- needs: views/cron_job_logs
-- Grain: one row per execution that started within the last hour and has not finished, the longest first.
CREATE OR REPLACE VIEW public.running_cron_jobs AS
SELECT id,
       job_name,
       started_at,
       extract(epoch FROM now() - started_at)::integer AS running_duration_seconds,
       attempts
  FROM public.cron_job_logs
 WHERE status = 'started' AND started_at > now() - interval '1 hour'
 ORDER BY started_at;

COMMENT ON VIEW public.running_cron_jobs IS
    'Public contract: executions that started within the last hour and have not finished, the longest first.';
