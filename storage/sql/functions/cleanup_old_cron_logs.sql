-- needs: functions/drop_old_partitions, functions/delete_old_runs
-- Runs that have not finished stay. Rollups stay: figures and trends outlive the executions behind them.
CREATE OR REPLACE FUNCTION public.cleanup_old_cron_logs(p_days integer DEFAULT 90) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_before timestamptz := now() - p_days * interval '24 hours';
    v_deleted bigint;
    v_batch record;
BEGIN
    IF p_days IS NULL OR p_days < 0 THEN
        RAISE EXCEPTION 'Logs are deleted when older than a number of days, which cannot be %.', p_days
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    v_deleted := callboard.drop_old_partitions(v_before);
    LOOP
        SELECT * INTO v_batch FROM callboard.delete_old_runs(v_before, 10000);
        v_deleted := v_deleted + v_batch.executions;
        EXIT WHEN v_batch.runs = 0 AND v_batch.occurrences = 0;
    END LOOP;
    RETURN v_deleted;
END
$$;

COMMENT ON FUNCTION public.cleanup_old_cron_logs(integer) IS
    'Public contract: deletes finished executions older than so many days; returns how many.';
