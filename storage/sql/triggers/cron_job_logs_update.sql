-- needs: views/cron_job_logs, functions/end_run
-- started -> completed | failed ends the run for good, in the whole fleet. A run that has finished meanwhile is
-- left alone and not counted as updated. A finished one keeps its status; its error message may be edited.
CREATE OR REPLACE FUNCTION callboard.cron_job_logs_update() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    v_ended boolean;
BEGIN
    IF (NEW.id, NEW.job_name, NEW.started_at, NEW.created_at)
       IS DISTINCT FROM (OLD.id, OLD.job_name, OLD.started_at, OLD.created_at) THEN
        RAISE EXCEPTION 'The id, job_name, started_at and created_at of execution % are fixed.', OLD.id
            USING ERRCODE = 'feature_not_supported';
    ELSIF NEW.attempts IS DISTINCT FROM OLD.attempts
          OR (NEW.status IS NOT DISTINCT FROM OLD.status
              AND (NEW.completed_at, NEW.duration_ms) IS DISTINCT FROM (OLD.completed_at, OLD.duration_ms)) THEN
        RAISE EXCEPTION 'Of execution %, completed_at and duration_ms change only with its status, and attempts never.',
            OLD.id USING ERRCODE = 'feature_not_supported';
    ELSIF NEW.status IS NOT DISTINCT FROM OLD.status THEN
        UPDATE callboard.runs
           SET error = NEW.error_message
         WHERE run_id = OLD.id AND enqueued_at = OLD.created_at;
        RETURN NEW;
    ELSIF OLD.status <> 'started' THEN
        RAISE EXCEPTION 'Execution % has % already: a finished one keeps its status.', OLD.id, OLD.status
            USING ERRCODE = 'object_not_in_prerequisite_state';
    ELSIF NEW.status IS NULL OR NEW.status NOT IN ('completed', 'failed') THEN
        RAISE EXCEPTION 'An execution cannot have the status "%".', NEW.status
            USING ERRCODE = 'check_violation', HINT = 'Use completed or failed.';
    END IF;

    v_ended := callboard.end_run(
        p_run_id => OLD.id,
        p_state => CASE NEW.status WHEN 'completed' THEN 'succeeded' ELSE 'failed' END,
        p_error => NEW.error_message,
        p_reason => 'ended by SQL',
        p_finished_at => coalesce(NEW.completed_at, now()),
        p_duration_ms => CASE WHEN NEW.duration_ms IS DISTINCT FROM OLD.duration_ms THEN NEW.duration_ms END
    );
    IF NOT v_ended THEN
        RETURN NULL;
    END IF;
    IF current_setting('application_name') NOT LIKE 'callboard%' THEN
        INSERT INTO callboard.audit (who, origin, action, target, before, after, reason)
        VALUES (session_user, 'sql', 'end_run', OLD.id::text, jsonb_build_object('status', OLD.status),
                jsonb_build_object('status', NEW.status), NEW.error_message);
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION callboard.cron_job_logs_update() IS 'Ends a run whose status is updated.';

CREATE OR REPLACE TRIGGER cron_job_logs_update
    INSTEAD OF UPDATE ON public.cron_job_logs
    FOR EACH ROW EXECUTE FUNCTION callboard.cron_job_logs_update();
