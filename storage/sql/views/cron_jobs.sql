-- needs: functions/cron_text
-- Grain: one row per schedule that the code declares or somebody has made, as pg_cron would show it.
CREATE OR REPLACE VIEW callboard.cron_jobs AS
SELECT s.id AS jobid,
       callboard.cron_text(s.expr) AS schedule,
       CASE WHEN s.job_name = 'run-sql' THEN s.kwargs ->> 'command'
            ELSE format('SELECT public.job_queue_enqueue(p_task_type := %L, p_payload := %L::jsonb)',
                        s.job_name, s.kwargs) END AS command,
       CASE WHEN s.origin = 'code' AND s.key LIKE 'code:%' THEN s.job_name || CASE WHEN s.key = 'code:1' THEN '' ELSE substring(s.key FROM 5) END
            WHEN s.job_name = 'run-sql' AND s.key = 'unnamed:' || s.id THEN NULL
            ELSE s.key END AS jobname,
       s.enabled AS active,
       s.job_name = 'run-sql' AS is_sql,
       s.origin
  FROM callboard.schedules s
 WHERE NOT s.retired;

COMMENT ON VIEW callboard.cron_jobs IS
    'One row per schedule. Of one that fires a job directly, the command is what would have the same effect.';
