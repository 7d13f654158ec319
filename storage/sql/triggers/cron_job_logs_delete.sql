-- needs: views/cron_job_logs
-- Removes a finished execution with its attempts and log lines. One that has not finished stays and is not
-- counted: its record would come back with its next event.
CREATE OR REPLACE FUNCTION callboard.cron_job_logs_delete() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM callboard.runs
     WHERE run_id = OLD.id AND enqueued_at = OLD.created_at AND state NOT IN ('pending', 'processing');
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    DELETE FROM callboard.attempts WHERE run_id = OLD.id AND enqueued_at = OLD.created_at;
    DELETE FROM callboard.log_lines WHERE run_id = OLD.id AND enqueued_at = OLD.created_at;
    RETURN OLD;
END
$$;

COMMENT ON FUNCTION callboard.cron_job_logs_delete() IS 'Removes a finished execution.';

CREATE OR REPLACE TRIGGER cron_job_logs_delete
    INSTEAD OF DELETE ON public.cron_job_logs
    FOR EACH ROW EXECUTE FUNCTION callboard.cron_job_logs_delete();
