-- needs: functions/count_run
-- Ends a run for good, wherever it is: its row and attempt become final, the rollups count it, a message not
-- yet sent is taken back, and the fleet is told to let go of it (callboard.signals). A run that has finished
-- meanwhile is left as it is, and the answer is false: states only ever move forward.
CREATE OR REPLACE FUNCTION callboard.end_run(
    p_run_id uuid,
    p_state text,
    p_error text DEFAULT NULL,
    p_reason text DEFAULT NULL,
    p_by text DEFAULT session_user,
    p_finished_at timestamptz DEFAULT now(),
    p_duration_ms integer DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    -- Higher than any that an event may bring: a retry that is under way already must not revive the run.
    c_last constant integer := 2147483647;
    v_run callboard.runs;
    v_duration_ms integer;
BEGIN
    IF p_state NOT IN ('succeeded', 'failed', 'cancelled', 'skipped', 'dead') THEN
        RAISE EXCEPTION 'A run cannot be ended as "%".', p_state
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Use succeeded, failed, cancelled, skipped or dead.';
    END IF;
    SELECT * INTO v_run FROM callboard.runs
     WHERE run_id = p_run_id AND state IN ('pending', 'processing')
       FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;

    v_duration_ms := coalesce(
        p_duration_ms,
        CASE WHEN v_run.state = 'processing' AND v_run.attempt_started_at IS NOT NULL THEN
            least(greatest(extract(epoch FROM p_finished_at - v_run.attempt_started_at) * 1000, 0), 2147483647)::integer
        END,
        v_run.duration_ms
    );
    UPDATE callboard.runs
       SET state = p_state, rank = c_last, finished_at = p_finished_at, duration_ms = v_duration_ms,
           error_type = CASE WHEN p_error IS NULL THEN error_type ELSE 'EndedByOperator' END,
           error = coalesce(p_error, error), reason = p_reason, next_retry_at = NULL,
           requested_by = coalesce(requested_by, p_by)
     WHERE run_id = p_run_id AND enqueued_at = v_run.enqueued_at;
    IF v_run.state = 'processing' AND v_run.execution_id IS NOT NULL
       AND (p_state <> 'succeeded' OR v_run.attempt > 1) THEN
        INSERT INTO callboard.attempts AS a (
            run_id, enqueued_at, attempt, execution_id, state, started_at, finished_at, duration_ms, worker,
            error_type, error, reason
        ) VALUES (
            v_run.run_id, v_run.enqueued_at, v_run.attempt, v_run.execution_id, p_state, v_run.attempt_started_at,
            p_finished_at, v_duration_ms, v_run.worker,
            CASE WHEN p_error IS NOT NULL THEN 'EndedByOperator' END, p_error, p_reason
        )
        ON CONFLICT (run_id, enqueued_at, execution_id) DO UPDATE
           SET state = excluded.state, finished_at = excluded.finished_at, duration_ms = excluded.duration_ms,
               error_type = excluded.error_type, error = excluded.error, reason = excluded.reason
         WHERE a.state IN ('pending', 'processing');
    END IF;
    -- The recorder counts a start with the end of the first attempt.
    PERFORM callboard.count_run(
        v_run.job, v_run.queue,
        CASE WHEN v_run.state = 'processing' AND v_run.attempt = 1 THEN v_run.started_at END, p_finished_at, p_state, v_duration_ms, v_run.wait_ms,
        v_run.started_at IS NOT NULL
    );
    DELETE FROM callboard.outbox WHERE run_id = p_run_id;
    INSERT INTO callboard.signals (kind, payload) VALUES (
        'end_run',
        jsonb_build_object('run_id', p_run_id, 'state', p_state, 'reason', coalesce(p_reason, p_error), 'by', p_by)
    );
    RETURN true;
END
$$;

COMMENT ON FUNCTION callboard.end_run(uuid, text, text, text, text, timestamptz, integer) IS
    'Ends an unfinished run in a final state and tells the fleet; false if it has finished already.';
