-- needs: cron/job
-- Grain: one row per run that a schedule has fired. Later runs have larger numbers.
CREATE OR REPLACE VIEW cron.job_run_details AS
SELECT schedule_id AS jobid,
       floor(extract(epoch FROM enqueued_at) * 1000)::bigint * 4096 + (hashtext(run_id::text) & 4095) AS runid,
       (result ->> 'pid')::integer AS job_pid,
       current_database()::text AS database,
       CASE WHEN job = 'run-sql' THEN (SELECT value FROM callboard.schema_state WHERE name = 'sql_role')
            ELSE pg_get_userbyid((SELECT nspowner FROM pg_namespace WHERE nspname = 'callboard'))::text
       END AS username,
       CASE WHEN job = 'run-sql' THEN kwargs ->> 'command'
            ELSE format('SELECT public.job_queue_enqueue(p_task_type := %L, p_payload := %L::jsonb)',
                        job, coalesce(kwargs, '{}')) END AS command,
       CASE state WHEN 'pending' THEN 'starting' WHEN 'processing' THEN 'running' WHEN 'succeeded' THEN 'succeeded'
                  ELSE 'failed' END AS status,
       CASE WHEN state <> 'succeeded' THEN coalesce(error, reason)
            WHEN job = 'run-sql' THEN result ->> 'message'
            ELSE result::text END AS return_message,
       started_at AS start_time,
       finished_at AS end_time
  FROM callboard.runs
 WHERE schedule_id IS NOT NULL;

COMMENT ON VIEW cron.job_run_details IS 'Public contract: one row per run of a schedule, as pg_cron shows it.';
COMMENT ON COLUMN cron.job_run_details.return_message IS
    'Of a command: what it did (1 row, DELETE 3), or the error; of a job fired directly, its result or the error.';
