-- One row a week that lies wholly before p_before, may be dropped, and has a partition: its suffix, from when to
-- when it goes, and how many executions, that is rows of cron_job_logs, it holds. A week with a run that has not
-- finished is left out: its rows have to be deleted singly.
CREATE OR REPLACE FUNCTION callboard.old_weeks(p_before timestamptz)
RETURNS TABLE (suffix text, starts_at timestamptz, ends_at timestamptz, executions bigint)
LANGUAGE plpgsql
AS $$
DECLARE
    v_busy boolean;
BEGIN
    FOR suffix, starts_at, ends_at IN
        SELECT week.name, week.monday, (week.monday AT TIME ZONE 'UTC' + interval '7 days') AT TIME ZONE 'UTC'
          FROM (SELECT part.name, to_date(part.name, 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC' AS monday
                  FROM (SELECT DISTINCT substring(c.relname FROM '_(\d{8})$') AS name
                          FROM pg_inherits i
                          JOIN pg_class c ON c.oid = i.inhrelid
                         WHERE i.inhparent IN (
                               'callboard.runs'::regclass, 'callboard.attempts'::regclass,
                               'callboard.log_lines'::regclass, 'callboard.occurrences'::regclass)) AS part
                 WHERE part.name IS NOT NULL) AS week
         WHERE (week.monday AT TIME ZONE 'UTC' + interval '7 days') AT TIME ZONE 'UTC' <= p_before
         ORDER BY week.name
    LOOP
        executions := 0;
        IF to_regclass('callboard.runs_' || suffix) IS NOT NULL THEN
            EXECUTE format(
                'SELECT count(*) FILTER (WHERE started_at IS NOT NULL AND state <> ''skipped''),'
                '       coalesce(bool_or(state IN (''pending'', ''processing'')), false) FROM callboard.%I',
                'runs_' || suffix
            ) INTO executions, v_busy;
            CONTINUE WHEN v_busy;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

COMMENT ON FUNCTION callboard.old_weeks(timestamptz) IS
    'The weekly partitions that lie wholly before the moment and may be dropped, with their executions.';
