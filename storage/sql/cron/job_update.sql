-- needs: cron/job, functions/cron_expression, functions/sql_role
CREATE OR REPLACE FUNCTION callboard.cron_job_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_was callboard.cron_jobs;
    v_name text := coalesce(NEW.jobname, 'unnamed:' || OLD.jobid);
    v_to_sql boolean;
BEGIN
    SELECT * INTO v_was FROM callboard.cron_jobs WHERE jobid = OLD.jobid;
    v_to_sql := NEW.command IS DISTINCT FROM OLD.command AND NOT v_was.is_sql;
    IF (NEW.jobid, NEW.nodename, NEW.nodeport, NEW.database, NEW.username)
       IS DISTINCT FROM (OLD.jobid, OLD.nodename, OLD.nodeport, OLD.database, OLD.username) THEN
        RAISE EXCEPTION 'Of schedule %, only the schedule, command, active and jobname can be changed.', OLD.jobid
            USING ERRCODE = 'feature_not_supported',
                  HINT = format('Commands run in the database %I as the role %I.', OLD.database, OLD.username);
    ELSIF NEW.active IS NULL THEN
        RAISE EXCEPTION 'Schedule % can be active (true) or not (false), not NULL.', OLD.jobid
            USING ERRCODE = 'null_value_not_allowed';
    ELSIF v_was.origin = 'code' AND NEW.jobname IS DISTINCT FROM OLD.jobname THEN
        RAISE EXCEPTION 'The schedule "%" is declared in code, so its name is fixed.', OLD.jobname
            USING ERRCODE = 'feature_not_supported', HINT = 'Its schedule and active can be changed.';
    ELSIF NEW.command IS DISTINCT FROM OLD.command THEN
        IF v_was.origin = 'code' THEN
            RAISE EXCEPTION 'The schedule "%" is declared in code and fires its job, so it can have no other command.',
                OLD.jobname USING ERRCODE = 'feature_not_supported',
                HINT = 'Give the command a schedule of another name, by cron.schedule().';
        ELSIF coalesce(btrim(NEW.command), '') = '' OR octet_length(NEW.command) > 60000 THEN
            RAISE EXCEPTION 'The command of a schedule is SQL of 1 to 60000 bytes.'
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Put longer SQL into a function, and call that.';
        END IF;
        PERFORM callboard.sql_role();
    END IF;
    IF NEW.jobname IS DISTINCT FROM OLD.jobname AND (
        coalesce(NEW.jobname IN ('') OR length(NEW.jobname) > 100 OR NEW.jobname LIKE 'unnamed:%', NOT v_was.is_sql)
        OR EXISTS (SELECT FROM callboard.cron_jobs WHERE jobname = NEW.jobname)) THEN
        RAISE EXCEPTION 'Schedule % cannot have the name "%".', OLD.jobid, left(NEW.jobname, 120)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write 1 to 100 characters that no other has.';
    END IF;
    -- Only what was changed, so that two who change different things at once both have their way.
    UPDATE callboard.schedules s
       SET enabled = CASE WHEN NEW.active IS DISTINCT FROM OLD.active THEN NEW.active ELSE s.enabled END,
           expr = CASE WHEN NEW.schedule IS DISTINCT FROM OLD.schedule
                       THEN callboard.cron_expression(NEW.schedule) ELSE s.expr END,
           key = CASE WHEN NEW.jobname IS DISTINCT FROM OLD.jobname OR v_to_sql THEN v_name ELSE s.key END,
           job_name = CASE WHEN v_to_sql THEN 'run-sql' ELSE s.job_name END,
           args = CASE WHEN v_to_sql THEN '[]' ELSE s.args END,
           kwargs = CASE WHEN v_to_sql THEN '{}' ELSE s.kwargs END
                    || CASE WHEN v_to_sql OR v_was.is_sql AND NEW.jobname IS DISTINCT FROM OLD.jobname
                            THEN jsonb_build_object('name', v_name) ELSE '{}' END
                    || CASE WHEN NEW.command IS DISTINCT FROM OLD.command
                            THEN jsonb_build_object('command', NEW.command) ELSE '{}' END,
           changed_by = session_user
     WHERE s.id = OLD.jobid;
    INSERT INTO callboard.audit (who, origin, action, target, before, after)
    VALUES (session_user, 'sql', 'edit_schedule', coalesce(OLD.jobname, OLD.jobid::text),
            jsonb_build_object('schedule', OLD.schedule, 'command', OLD.command, 'active', OLD.active),
            jsonb_build_object('schedule', NEW.schedule, 'command', NEW.command, 'active', NEW.active));
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION callboard.cron_job_update() IS 'Changes a schedule.';

CREATE OR REPLACE TRIGGER job_update
    INSTEAD OF UPDATE ON cron.job
    FOR EACH ROW EXECUTE FUNCTION callboard.cron_job_update();
