-- needs: views/job_queue
-- With the rights of its owner: who may delete from the view needs none on the tables behind.
CREATE OR REPLACE FUNCTION callboard.job_queue_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM callboard.runs
     WHERE run_id = OLD.id AND enqueued_at = OLD.created_at AND state NOT IN ('pending', 'processing');
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM callboard.runs WHERE run_id = OLD.id AND enqueued_at = OLD.created_at) THEN
            RAISE EXCEPTION 'The run % of job "%" has not finished, so it cannot be deleted.', OLD.id, OLD.task_type
                USING ERRCODE = 'object_in_use',
                      HINT = 'Delete what has finished: WHERE status NOT IN (''pending'', ''processing'').';
        END IF;
        RETURN NULL;
    END IF;
    DELETE FROM callboard.attempts WHERE run_id = OLD.id AND enqueued_at = OLD.created_at;
    DELETE FROM callboard.log_lines WHERE run_id = OLD.id AND enqueued_at = OLD.created_at;
    RETURN OLD;
END
$$;

COMMENT ON FUNCTION callboard.job_queue_delete() IS 'Removes a finished run with its attempts and log lines.';

CREATE OR REPLACE TRIGGER job_queue_delete
    INSTEAD OF DELETE ON public.job_queue
    FOR EACH ROW EXECUTE FUNCTION callboard.job_queue_delete();
