-- Weekly partitions, each from Monday 00:00 UTC, for every week that the window touches.
-- Rows of such a week that went to the default partition are moved out of it first. Several callers
-- wait for each other. A partition is made aside and attached, so that the parent is never locked
-- against readers or writers; only the default partition is, and only for as long as the attaching takes.
-- (A writer whose row waits for that very lock, to go where it no longer may, fails with a check_violation and
-- has to try again. It takes a row of a week that is only now being made.)
CREATE OR REPLACE FUNCTION callboard.ensure_partitions(
    p_from timestamptz DEFAULT now() - interval '1 week',
    p_to timestamptz DEFAULT now() + interval '4 weeks'
) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    v_table text;
    v_key text;
    v_week timestamptz;
    v_end timestamptz;
    v_name text;
    v_made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('callboard.ensure_partitions', 0));
    v_week := date_trunc('week', p_from, 'UTC');
    WHILE v_week <= p_to LOOP
        v_end := (v_week AT TIME ZONE 'UTC' + interval '7 days') AT TIME ZONE 'UTC';
        FOR v_table, v_key IN VALUES
            ('runs', 'enqueued_at'), ('attempts', 'enqueued_at'), ('log_lines', 'enqueued_at'), ('occurrences', 'due_at')
        LOOP
            v_name := v_table || to_char(v_week AT TIME ZONE 'UTC', '"_"YYYYMMDD');
            CONTINUE WHEN to_regclass('callboard.' || v_name) IS NOT NULL;
            EXECUTE format('CREATE TABLE callboard.%I (LIKE callboard.%I INCLUDING ALL)', v_name, v_table);
            EXECUTE format('LOCK TABLE callboard.%I IN ACCESS EXCLUSIVE MODE', v_table || '_default');
            EXECUTE format(
                'WITH moved AS (DELETE FROM callboard.%1$I WHERE %2$I >= $1 AND %2$I < $2 RETURNING *)'
                ' INSERT INTO callboard.%3$I SELECT * FROM moved',
                v_table || '_default', v_key, v_name
            ) USING v_week, v_end;
            EXECUTE format(
                'ALTER TABLE callboard.%I ATTACH PARTITION callboard.%I FOR VALUES FROM (%L) TO (%L)',
                v_table, v_name, v_week, v_end
            );
            v_made := v_made + 1;
        END LOOP;
        v_week := v_end;
    END LOOP;
    RETURN v_made;
END
$$;

COMMENT ON FUNCTION callboard.ensure_partitions(timestamptz, timestamptz) IS
    'Makes the weekly partitions that the window touches, those that are missing; returns how many.';
