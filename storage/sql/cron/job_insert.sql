-- needs: cron/job, functions/cron_expression, functions/sql_role
CREATE OR REPLACE FUNCTION callboard.cron_job_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c_most constant integer := 60000;
    v_expr text := callboard.cron_expression(NEW.schedule);
    v_role text;
BEGIN
    IF NEW.command IS NULL OR btrim(NEW.command) = '' OR octet_length(NEW.command) > c_most THEN
        RAISE EXCEPTION 'The command of a schedule is SQL of 1 to % bytes.', c_most
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Put longer SQL into a function, and call that.';
    ELSIF NEW.jobname = '' OR length(NEW.jobname) > 100 OR NEW.jobname LIKE 'unnamed:%' THEN
        RAISE EXCEPTION 'A schedule cannot have the name "%".', left(NEW.jobname, 120)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Write 1 to 100 characters, beginning otherwise than with "unnamed:".';
    ELSIF EXISTS (SELECT FROM callboard.cron_jobs WHERE jobname = NEW.jobname) THEN
        RAISE EXCEPTION 'There is a schedule "%" already.', NEW.jobname
            USING ERRCODE = 'unique_violation', HINT = 'cron.schedule() changes the one that is there.';
    ELSIF NEW.database <> current_database() THEN
        RAISE EXCEPTION 'Commands run in the database "%", not in "%".', current_database(), NEW.database
            USING ERRCODE = 'feature_not_supported', HINT = 'Schedule it in that database''s own Callboard.';
    END IF;
    SELECT name INTO v_role FROM callboard.sql_role();
    IF NEW.username <> v_role THEN
        RAISE EXCEPTION 'Commands run as the role "%", not as "%".', v_role, NEW.username
            USING ERRCODE = 'feature_not_supported', HINT = format('GRANT %I to it.', NEW.username);
    END IF;
    NEW.jobid := nextval(pg_get_serial_sequence('callboard.schedules', 'id'));
    NEW.active := coalesce(NEW.active, true);
    INSERT INTO callboard.schedules (id, job_name, key, expr, kwargs, enabled, changed_by)
    SELECT NEW.jobid, 'run-sql', name, v_expr, jsonb_build_object('name', name, 'command', NEW.command), NEW.active,
           session_user
      FROM coalesce(NEW.jobname, 'unnamed:' || NEW.jobid) AS name;
    INSERT INTO callboard.audit (who, origin, action, target, after)
    VALUES (session_user, 'sql', 'create_schedule', coalesce(NEW.jobname, NEW.jobid::text),
            jsonb_build_object('schedule', NEW.schedule, 'command', NEW.command, 'active', NEW.active));
    IF NOT EXISTS (SELECT FROM callboard.jobs WHERE name = 'run-sql' AND declared) THEN
        RAISE NOTICE 'No worker that has started knows the job run-sql, which runs commands.'
            USING HINT = 'It is there once one starts whose CALLBOARD_ACTORS includes callboard.actors.';
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION callboard.cron_job_insert() IS 'Makes a schedule of an SQL command.';

CREATE OR REPLACE TRIGGER job_insert
    INSTEAD OF INSERT ON cron.job
    FOR EACH ROW EXECUTE FUNCTION callboard.cron_job_insert();
