-- needs: functions/hist_bucket
-- A histogram with one more duration in it; NULL is not counted.
CREATE OR REPLACE FUNCTION callboard.hist_count(p_counts integer[], p_ms double precision) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    v_place integer := callboard.hist_bucket(p_ms) + 1;
    v_length integer := coalesce(cardinality(p_counts), 0);
BEGIN
    IF p_ms IS NULL THEN
        RETURN p_counts;
    ELSIF v_length < v_place THEN
        p_counts := p_counts || array_fill(0, ARRAY[v_place - v_length]);
    END IF;
    p_counts[v_place] := p_counts[v_place] + 1;
    RETURN p_counts;
END
$$;

COMMENT ON FUNCTION callboard.hist_count(integer[], double precision) IS
    'A histogram with one more duration (ms) counted.';
