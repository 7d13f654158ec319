-- needs: views/cron_job_logs, functions/count_run
-- A row that somebody else's code logs is a run of trigger `sql`, counted like any other.
CREATE OR REPLACE FUNCTION callboard.cron_job_logs_insert() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    v_state text := CASE NEW.status
        WHEN 'started' THEN 'processing' WHEN 'completed' THEN 'succeeded' WHEN 'failed' THEN 'failed' END;
    v_done boolean := NEW.status IN ('completed', 'failed');
    v_queue text;
BEGIN
    IF NEW.job_name IS NULL THEN
        RAISE EXCEPTION 'An execution needs the name of its job: job_name is NULL.' USING ERRCODE = 'not_null_violation';
    ELSIF v_state IS NULL THEN
        RAISE EXCEPTION 'An execution cannot have the status "%".', NEW.status
            USING ERRCODE = 'check_violation', HINT = 'Use started, completed or failed.';
    END IF;
    NEW.id := coalesce(NEW.id, gen_random_uuid());
    IF EXISTS (SELECT FROM callboard.runs WHERE run_id = NEW.id) THEN
        RAISE EXCEPTION 'There is an execution with the id % already.', NEW.id USING ERRCODE = 'unique_violation';
    END IF;
    NEW.started_at := coalesce(NEW.started_at, now());
    NEW.created_at := coalesce(NEW.created_at, least(NEW.started_at, now()));
    NEW.attempts := coalesce(NEW.attempts, 1);
    IF v_done THEN
        -- Where nothing says when it ended, it counts at its start, with no duration.
        IF NEW.duration_ms IS NULL AND NEW.completed_at IS NOT NULL THEN
            NEW.duration_ms := least(greatest(
                extract(epoch FROM NEW.completed_at - NEW.started_at) * 1000, 0), 2147483647)::integer;
        END IF;
        NEW.completed_at := coalesce(
            NEW.completed_at, NEW.started_at + coalesce(NEW.duration_ms, 0) * interval '1 millisecond');
    END IF;
    SELECT queue INTO v_queue FROM callboard.jobs WHERE name = NEW.job_name;
    v_queue := coalesce(v_queue, 'default');
    INSERT INTO callboard.runs (
        run_id, enqueued_at, job, queue, state, rank, attempt, trigger, ready_at, started_at, attempt_started_at,
        finished_at, duration_ms, execution_id, error, requested_by
    ) VALUES (
        NEW.id, NEW.created_at, NEW.job_name, v_queue, v_state, NEW.attempts * 10 + CASE WHEN v_done THEN 9 ELSE 5 END,
        NEW.attempts, 'sql', NEW.created_at, NEW.started_at, NEW.started_at,
        CASE WHEN v_done THEN NEW.completed_at END, NEW.duration_ms, NEW.id, NEW.error_message, session_user
    );
    IF v_done THEN
        PERFORM callboard.count_run(
            NEW.job_name, v_queue, NEW.started_at, NEW.completed_at, v_state, NEW.duration_ms, NULL, true);
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION callboard.cron_job_logs_insert() IS 'Adds an execution that was logged by SQL.';

CREATE OR REPLACE TRIGGER cron_job_logs_insert
    INSTEAD OF INSERT ON public.cron_job_logs
    FOR EACH ROW EXECUTE FUNCTION callboard.cron_job_logs_insert();
