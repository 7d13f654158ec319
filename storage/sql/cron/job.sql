-- needs: views/cron_jobs
-- Grain: one row per schedule, made by cron.schedule(), by an operator, or declared in code.
CREATE OR REPLACE VIEW cron.job AS
SELECT jobid,
       schedule,
       command,
       'localhost' AS nodename,
       current_setting('port')::integer AS nodeport,
       current_database()::text AS database,
       CASE WHEN is_sql THEN (SELECT value FROM callboard.schema_state WHERE name = 'sql_role')
            ELSE pg_get_userbyid((SELECT nspowner FROM pg_namespace WHERE nspname = 'callboard'))::text
       END AS username,
       active,
       jobname
  FROM callboard.cron_jobs;

COMMENT ON VIEW cron.job IS
    'Public contract: one row per schedule, as pg_cron shows it. active, schedule, command and jobname may be updated.';
