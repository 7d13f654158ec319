-- The sum of two histograms, bucket by bucket; the shorter is filled up with zeros.
CREATE OR REPLACE FUNCTION callboard.hist_add(p_one integer[], p_other integer[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    v_longer integer := cardinality(p_other) - cardinality(p_one);
BEGIN
    IF v_longer IS NULL THEN
        RETURN coalesce(p_one, p_other);
    ELSIF v_longer > 0 THEN
        p_one := p_one || array_fill(0, ARRAY[v_longer]);
    END IF;
    FOR i IN 1 .. cardinality(p_other) LOOP
        IF p_other[i] <> 0 THEN
            p_one[i] := p_one[i] + p_other[i];
        END IF;
    END LOOP;
    RETURN p_one;
END
$$;

COMMENT ON FUNCTION callboard.hist_add(integer[], integer[]) IS 'The sum of two histograms.';
