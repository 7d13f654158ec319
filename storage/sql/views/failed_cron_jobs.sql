-- needs: views/cron_job_logs
-- Grain: one row per failed execution, the 100 that started last.
CREATE OR REPLACE VIEW public.failed_cron_jobs AS
SELECT id, job_name, status, started_at, completed_at, duration_ms, error_message, attempts, created_at
  FROM public.cron_job_logs
 WHERE status = 'failed'
 ORDER BY started_at DESC
 LIMIT 100;

COMMENT ON VIEW public.failed_cron_jobs IS 'Public contract: the latest 100 failed executions, the latest first.';
