-- needs: cron/job
CREATE OR REPLACE FUNCTION callboard.cron_job_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM callboard.schedules WHERE id = OLD.jobid AND origin = 'code') THEN
        RAISE EXCEPTION 'The schedule "%" is declared in code, which would bring it back.', OLD.jobname
            USING ERRCODE = 'feature_not_supported',
                  HINT = format('UPDATE cron.job SET active = false WHERE jobname = %L switches it off.', OLD.jobname);
    END IF;
    DELETE FROM callboard.schedules WHERE id = OLD.jobid;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO callboard.audit (who, origin, action, target, before)
    VALUES (session_user, 'sql', 'delete_schedule', coalesce(OLD.jobname, OLD.jobid::text),
            jsonb_build_object('schedule', OLD.schedule, 'command', OLD.command, 'active', OLD.active));
    RETURN OLD;
END
$$;

COMMENT ON FUNCTION callboard.cron_job_delete() IS 'Removes a schedule; its runs and slots stay.';

CREATE OR REPLACE TRIGGER job_delete
    INSTEAD OF DELETE ON cron.job
    FOR EACH ROW EXECUTE FUNCTION callboard.cron_job_delete();
