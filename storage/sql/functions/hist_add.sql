-- The sum of two histograms, bucket by bucket; the shorter is filled up with zeros.
CREATE OR REPLACE FUNCTION callboard.hist_add(p_one integer[], p_other integer[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    v_length integer := coalesce(cardinality(p_other), 0);
BEGIN
    IF v_length = 0 THEN
        RETURN p_one;
    ELSIF coalesce(cardinality(p_one), 0) = 0 THEN
        RETURN p_other;
    ELSIF cardinality(p_one) < v_length THEN
        p_one := p_one || array_fill(0, ARRAY[v_length - cardinality(p_one)]);
    END IF;
    FOR i IN 1 .. v_length LOOP
        IF p_other[i] <> 0 THEN
            p_one[i] := p_one[i] + p_other[i];
        END IF;
    END LOOP;
    RETURN p_one;
END
$$;

COMMENT ON FUNCTION callboard.hist_add(integer[], integer[]) IS 'The sum of two histograms.';
