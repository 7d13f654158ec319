-- needs: functions/request_run, functions/find_job, functions/job_kwargs
-- With the rights of its owner, so that whoever may call it needs none on the tables behind.
CREATE OR REPLACE FUNCTION public.job_queue_enqueue(
    p_task_type text,
    p_payload jsonb DEFAULT '{}',
    p_run_at timestamptz DEFAULT now(),
    p_max_attempts integer DEFAULT NULL
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_job callboard.jobs := callboard.find_job(p_task_type);
    v_kwargs jsonb := callboard.job_kwargs(v_job, coalesce(p_payload, '{}'));
    v_later timestamptz := CASE WHEN p_run_at > clock_timestamp() THEN p_run_at END;
    v_run_id uuid;
    v_enqueued_at timestamptz;
BEGIN
    IF p_max_attempts < 1 THEN
        RAISE EXCEPTION 'The job "%" cannot have % attempts.', v_job.name, p_max_attempts
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Write 1 or more, the first attempt included; NULL is what the job''s code says.';
    ELSIF v_later >= '10000-01-01' THEN
        RAISE EXCEPTION 'The job "%" cannot run at %.', v_job.name, p_run_at
            USING ERRCODE = 'datetime_field_overflow', HINT = 'Write a moment before the year 10000.';
    END IF;
    v_run_id := callboard.request_run(v_job.name, '[]', v_kwargs, session_user, 'sql');
    IF v_later IS NULL AND p_max_attempts IS NULL THEN
        RETURN v_run_id;
    END IF;
    UPDATE callboard.outbox
       SET not_before = v_later,
           message = jsonb_set(message, '{options}', message -> 'options' || jsonb_strip_nulls(jsonb_build_object(
               'max_retries', p_max_attempts - 1,
               'ready_at', floor(extract(epoch FROM v_later) * 1000)::bigint)))
     WHERE run_id = v_run_id
    RETURNING timestamptz 'epoch' + (message ->> 'message_timestamp')::bigint * interval '1 millisecond'
      INTO v_enqueued_at;
    UPDATE callboard.runs
       SET ready_at = coalesce(v_later, ready_at), max_attempts = coalesce(p_max_attempts, max_attempts)
     WHERE run_id = v_run_id AND enqueued_at = v_enqueued_at;
    RETURN v_run_id;
END
$$;

REVOKE ALL ON FUNCTION public.job_queue_enqueue(text, jsonb, timestamptz, integer) FROM PUBLIC;

COMMENT ON FUNCTION public.job_queue_enqueue(text, jsonb, timestamptz, integer) IS
    'Public contract: asks for a run of a job once this transaction commits; returns the run''s id.';
