-- needs: functions/old_weeks, functions/drop_old_partitions, functions/delete_old_runs
-- Runs that have not finished stay. Rollups stay: figures and trends outlive the executions behind them. What lies
-- between the weeks that can be dropped is deleted row by row, and first: dropping locks everybody out until the end.
CREATE OR REPLACE FUNCTION public.cleanup_old_cron_logs(p_days integer DEFAULT 90) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_before timestamptz := now() - p_days * interval '24 hours';
    v_deleted bigint := 0;
    v_dropped bigint;
    v_from timestamptz;
    v_until timestamptz;
    v_batch record;
BEGIN
    IF p_days IS NULL OR p_days < 0 THEN
        RAISE EXCEPTION 'Logs are deleted when older than a number of days, which cannot be %.', p_days
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR v_from, v_until IN
        WITH week AS MATERIALIZED (SELECT starts_at, ends_at FROM callboard.old_weeks(v_before))
        SELECT lag(ends_at, 1, '-infinity') OVER (ORDER BY starts_at), starts_at FROM week
        UNION ALL
        SELECT coalesce(max(ends_at), '-infinity'), v_before FROM week
    LOOP
        CONTINUE WHEN v_from >= v_until;
        LOOP
            SELECT * INTO v_batch FROM callboard.delete_old_runs(v_until, 10000, v_from);
            v_deleted := v_deleted + v_batch.executions;
            EXIT WHEN v_batch.runs = 0 AND v_batch.occurrences = 0;
        END LOOP;
    END LOOP;
    SELECT executions INTO v_dropped FROM callboard.drop_old_partitions(v_before);
    RETURN v_deleted + v_dropped;
END
$$;

COMMENT ON FUNCTION public.cleanup_old_cron_logs(integer) IS
    'Public contract: deletes finished executions older than so many days; returns how many.';
