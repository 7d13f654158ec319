-- needs: functions/old_weeks
-- Whole weeks that lie before p_before, of runs with what belongs to them, and of occurrences, the oldest first and
-- at most p_limit of them. To drop a partition locks its parent against everybody until the transaction ends: all
-- that takes time comes before, and whoever calls this does nothing after it.
CREATE OR REPLACE FUNCTION callboard.drop_old_partitions(
    p_before timestamptz,
    p_limit integer DEFAULT NULL,
    OUT weeks integer,
    OUT executions bigint
)
LANGUAGE plpgsql
AS $$
DECLARE
    v_suffix text;
    v_count bigint;
    v_tables text := '';
BEGIN
    weeks := 0;
    executions := 0;
    PERFORM pg_advisory_xact_lock(hashtextextended('callboard.ensure_partitions', 0));
    FOR v_suffix, v_count IN
        SELECT old.suffix, old.executions FROM callboard.old_weeks(p_before) AS old ORDER BY old.suffix LIMIT p_limit
    LOOP
        weeks := weeks + 1;
        executions := executions + v_count;
        -- In the order in which the recorder writes to them: neither must wait for the other.
        v_tables := v_tables || format(
            ', callboard.%I, callboard.%I, callboard.%I, callboard.%I',
            'runs_' || v_suffix, 'attempts_' || v_suffix, 'log_lines_' || v_suffix, 'occurrences_' || v_suffix
        );
    END LOOP;
    IF weeks > 0 THEN
        EXECUTE 'DROP TABLE IF EXISTS ' || substr(v_tables, 3);
    END IF;
END
$$;

COMMENT ON FUNCTION callboard.drop_old_partitions(timestamptz, integer) IS
    'Drops the weekly partitions that lie wholly before the moment; how many weeks, and executions with them.';
