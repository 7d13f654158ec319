-- INSERT of a job that has its row changes that row instead (and reports 0 rows inserted): the statement that
-- adds a job's switch works whether or not the job's code was there first. One that says by itself what becomes of
-- a conflict has its way; a trigger sees that nowhere but in the statement's text.
CREATE OR REPLACE FUNCTION callboard.cron_job_config_adding() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_query() ~* '\mon\s+conflict\M' THEN
        RETURN NEW;
    END IF;
    -- Two that add the same job at once: the second must see the first one's row.
    PERFORM pg_advisory_xact_lock(hashtextextended('cron_job_config ' || NEW.job_name, 0));
    UPDATE public.cron_job_config
       SET enabled = coalesce(NEW.enabled, true),
           last_modified_at = coalesce(NEW.last_modified_at, now()),
           last_modified_by = NEW.last_modified_by,
           notes = coalesce(NEW.notes, notes)
     WHERE job_name = NEW.job_name;
    RETURN CASE WHEN FOUND THEN NULL ELSE NEW END;
END
$$;

COMMENT ON FUNCTION callboard.cron_job_config_adding() IS 'Makes an INSERT of a job that is there an UPDATE.';

CREATE OR REPLACE FUNCTION callboard.cron_job_config_changing() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.enabled IS DISTINCT FROM OLD.enabled AND NEW.last_modified_at IS NOT DISTINCT FROM OLD.last_modified_at THEN
        NEW.last_modified_at := now();
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION callboard.cron_job_config_changing() IS 'Dates a change of the switch.';

-- Callboard's own processes audit what they do themselves, with the user's name; whoever else turns a switch
-- by SQL is audited here.
CREATE OR REPLACE FUNCTION callboard.cron_job_config_changed() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    v_job text := CASE TG_OP WHEN 'DELETE' THEN OLD.job_name ELSE NEW.job_name END;
    v_before boolean := CASE TG_OP WHEN 'INSERT' THEN NULL ELSE OLD.enabled END;
    v_after boolean := CASE TG_OP WHEN 'DELETE' THEN NULL ELSE NEW.enabled END;
BEGIN
    PERFORM pg_notify('callboard_control', v_job);
    IF v_before IS DISTINCT FROM v_after AND current_setting('application_name') NOT LIKE 'callboard%' THEN
        INSERT INTO callboard.audit (who, origin, action, target, before, after)
        VALUES (
            coalesce(nullif(current_setting('callboard.who', true), ''), session_user), 'sql',
            CASE WHEN v_after IS FALSE THEN 'disable_job' ELSE 'enable_job' END, v_job,
            jsonb_build_object('enabled', v_before), jsonb_build_object('enabled', v_after)
        );
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION callboard.cron_job_config_changed() IS 'Tells the fleet, and the audit log.';

CREATE OR REPLACE TRIGGER cron_job_config_adding
    BEFORE INSERT ON public.cron_job_config
    FOR EACH ROW EXECUTE FUNCTION callboard.cron_job_config_adding();

CREATE OR REPLACE TRIGGER cron_job_config_changing
    BEFORE UPDATE ON public.cron_job_config
    FOR EACH ROW EXECUTE FUNCTION callboard.cron_job_config_changing();

CREATE OR REPLACE TRIGGER cron_job_config_changed
    AFTER INSERT OR UPDATE OR DELETE ON public.cron_job_config
    FOR EACH ROW EXECUTE FUNCTION callboard.cron_job_config_changed();
