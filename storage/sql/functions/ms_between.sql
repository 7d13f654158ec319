-- Whole milliseconds from one moment to a later one; 0 if it is not later, NULL if one of them is not known.
CREATE OR REPLACE FUNCTION callboard.ms_between(p_from timestamptz, p_to timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN greatest(
    0, floor(extract(epoch FROM p_to) * 1000) - floor(extract(epoch FROM p_from) * 1000)
)::bigint;

COMMENT ON FUNCTION callboard.ms_between(timestamptz, timestamptz) IS
    'Whole milliseconds from one moment to a later one; 0 if it is not later.';
