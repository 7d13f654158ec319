-- needs: views/cron_job_logs
-- Grain: one row per execution that started within the last 7 days, the latest first.
CREATE OR REPLACE VIEW public.recent_cron_executions AS
SELECT id, job_name, status, started_at, completed_at, duration_ms, error_message, attempts, created_at
  FROM public.cron_job_logs
 WHERE started_at > now() - interval '7 days'
 ORDER BY started_at DESC;

COMMENT ON VIEW public.recent_cron_executions IS 'Public contract: executions of the last 7 days, the latest first.';
