-- A run of a job, pending, and its message in the outbox, in the caller's transaction.
-- The run's enqueued_at is the message's timestamp to the millisecond: the recorder knows the run by both.
CREATE OR REPLACE FUNCTION callboard.request_run(
    p_job text,
    p_args jsonb DEFAULT '[]',
    p_kwargs jsonb DEFAULT '{}',
    p_by text DEFAULT session_user,
    p_trigger text DEFAULT 'manual',
    p_run_id uuid DEFAULT gen_random_uuid()
) RETURNS uuid
LANGUAGE plpgsql
AS $$
DECLARE
    v_job callboard.jobs;
    v_ms bigint := floor(extract(epoch FROM clock_timestamp()) * 1000);
    v_at timestamptz := timestamptz 'epoch' + v_ms * interval '1 millisecond';
    v_args jsonb := coalesce(p_args, '[]');
    v_kwargs jsonb := coalesce(p_kwargs, '{}');
BEGIN
    SELECT * INTO v_job FROM callboard.jobs WHERE name = p_job AND declared;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no job "%".', p_job
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT name FROM callboard.jobs WHERE declared shows all that there are.';
    END IF;
    IF jsonb_typeof(v_args) <> 'array' OR jsonb_typeof(v_kwargs) <> 'object' THEN
        RAISE EXCEPTION 'The arguments of job "%" must be a JSON array, and those by name a JSON object.', p_job
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO callboard.runs (
        run_id, enqueued_at, job, queue, state, rank, attempt, max_attempts, trigger, ready_at, args, kwargs,
        requested_by, time_limit_ms
    ) VALUES (
        p_run_id, v_at, v_job.name, v_job.queue, 'pending', 10, 1, v_job.max_attempts, p_trigger, v_at, v_args,
        v_kwargs, p_by, v_job.time_limit_ms
    );
    INSERT INTO callboard.outbox (run_id, job_name, queue, message) VALUES (
        p_run_id, v_job.name, v_job.queue,
        jsonb_build_object(
            'queue_name', v_job.queue,
            'actor_name', v_job.name,
            'args', v_args,
            'kwargs', v_kwargs,
            'options', jsonb_build_object('trigger', p_trigger, 'requested_by', p_by),
            'message_id', p_run_id,
            'message_timestamp', v_ms
        )
    );
    RETURN p_run_id;
END
$$;

COMMENT ON FUNCTION callboard.request_run(text, jsonb, jsonb, text, text, uuid) IS
    'Asks for a run of a job once this transaction commits; returns the run''s id. P0002 if there is no such job.';
