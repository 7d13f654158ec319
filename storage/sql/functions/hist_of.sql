-- needs: functions/hist_edges
-- core.histogram.histogram, but only as long as its last bucket that is not empty. NULLs are not counted.
-- A function over array_agg(ms), not an aggregate: one call a histogram, not one a duration.
CREATE OR REPLACE FUNCTION callboard.hist_of(p_ms double precision[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    v_places integer[] := ARRAY(
        SELECT CASE WHEN ms >= 1 AND ms <> 'NaN' THEN width_bucket(ms, callboard.hist_edges()) ELSE 0 END + 1
          FROM unnest(p_ms) AS ms
         WHERE ms IS NOT NULL
    );
    v_counts integer[] := '{}';
    v_place integer;
BEGIN
    FOREACH v_place IN ARRAY v_places LOOP
        IF v_place > cardinality(v_counts) THEN
            v_counts := v_counts || array_fill(0, ARRAY[v_place - cardinality(v_counts)]);
        END IF;
        v_counts[v_place] := v_counts[v_place] + 1;
    END LOOP;
    RETURN v_counts;
END
$$;

COMMENT ON FUNCTION callboard.hist_of(double precision[]) IS
    'The histogram of durations in ms, as long as its last bucket that is not empty.';
