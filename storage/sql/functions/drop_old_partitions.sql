-- Whole weeks that lie before p_before, of runs with what belongs to them, and of occurrences. A week that holds
-- a run which has not finished stays, for its rows to be deleted singly. The answer counts executions, that is
-- rows of cron_job_logs.
CREATE OR REPLACE FUNCTION callboard.drop_old_partitions(p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_suffix text;
    v_busy boolean;
    v_count bigint;
    v_dropped bigint := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('callboard.ensure_partitions', 0));
    FOR v_suffix IN
        SELECT suffix
          FROM (SELECT DISTINCT substring(c.relname FROM '_(\d{8})$') AS suffix
                  FROM pg_inherits i
                  JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE i.inhparent IN ('callboard.runs'::regclass, 'callboard.occurrences'::regclass,
                                       'callboard.attempts'::regclass, 'callboard.log_lines'::regclass)) AS week
         WHERE (to_date(suffix, 'YYYYMMDD') + 7)::timestamp AT TIME ZONE 'UTC' <= p_before
         ORDER BY suffix
    LOOP
        IF to_regclass('callboard.runs_' || v_suffix) IS NOT NULL THEN
            EXECUTE format(
                'SELECT EXISTS (SELECT FROM callboard.%I WHERE state IN (''pending'', ''processing''))',
                'runs_' || v_suffix
            ) INTO v_busy;
            CONTINUE WHEN v_busy;
            EXECUTE format(
                'SELECT count(*) FROM callboard.%I WHERE started_at IS NOT NULL AND state <> ''skipped''',
                'runs_' || v_suffix
            ) INTO v_count;
            v_dropped := v_dropped + v_count;
        END IF;
        -- In the order in which the recorder writes to them: each locks its parent, and neither must wait for the other.
        EXECUTE format(
            'DROP TABLE IF EXISTS callboard.%I, callboard.%I, callboard.%I, callboard.%I',
            'runs_' || v_suffix, 'attempts_' || v_suffix, 'log_lines_' || v_suffix, 'occurrences_' || v_suffix
        );
    END LOOP;
    RETURN v_dropped;
END
$$;

COMMENT ON FUNCTION callboard.drop_old_partitions(timestamptz) IS
    'Drops the weekly partitions that lie wholly before the moment; returns how many executions went with them.';
