-- needs: functions/rollups_between
-- Grain: one row per job with a finished run in the last 30 days (to the minute). Read from rollups.
CREATE OR REPLACE VIEW public.cron_job_success_rates AS
SELECT job AS job_name,
       sum(succeeded) AS successful_runs,
       sum(failed + dead + cancelled_running) AS failed_runs,
       sum(succeeded + failed + dead + cancelled_running) AS total_runs,
       round(100.0 * sum(succeeded) / sum(succeeded + failed + dead + cancelled_running), 2)
           AS success_rate_percentage,
       round(sum(duration_sum_ms) / nullif(sum(succeeded + failed), 0))::integer AS avg_duration_ms,
       max(last_run_at) AS last_run_at
  FROM callboard.rollups_between(now() - interval '720 hours')
 GROUP BY job
HAVING sum(succeeded + failed + dead + cancelled_running) > 0
 ORDER BY job;

COMMENT ON VIEW public.cron_job_success_rates IS
    'Public contract: how the finished runs of each job went in the last 30 days.';
COMMENT ON COLUMN public.cron_job_success_rates.last_run_at IS 'The latest start.';
