-- needs: functions/hist_edges
-- The duration that a share of the runs did not exceed: core.histogram.percentile, to the last digit.
CREATE OR REPLACE FUNCTION callboard.hist_percentile(p_counts integer[], p_q double precision)
RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    v_edges constant double precision[] := callboard.hist_edges();
    v_rank double precision;
    v_below bigint := 0;
    v_count bigint;
    v_low double precision;
BEGIN
    IF NOT p_q BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'A percentile is asked for as a share between 0 and 1, not %.', p_q
            USING ERRCODE = 'numeric_value_out_of_range';
    END IF;
    v_rank := p_q * (SELECT sum(c) FROM unnest(p_counts) AS c)::double precision;
    FOR i IN 1 .. cardinality(p_counts) LOOP
        v_count := p_counts[i];
        IF v_count > 0 AND v_below + v_count >= v_rank THEN
            v_low := CASE WHEN i = 1 THEN 0 ELSE v_edges[i - 1] END;
            RETURN CASE
                WHEN i > cardinality(v_edges) THEN v_low
                ELSE v_low + (v_edges[i] - v_low) * (v_rank - v_below) / v_count
            END;
        END IF;
        v_below := v_below + v_count;
    END LOOP;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION callboard.hist_percentile(integer[], double precision) IS
    'The ms that a share (0 to 1) of a histogram''s durations did not exceed; NULL if it is empty.';
