-- needs: functions/hist_edges
-- The index (from 0) of the bucket that holds a duration: core.histogram.bucket.
CREATE OR REPLACE FUNCTION callboard.hist_bucket(p_ms double precision) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN p_ms >= 1 AND p_ms <> 'NaN' THEN width_bucket(p_ms, callboard.hist_edges()) ELSE 0 END;

COMMENT ON FUNCTION callboard.hist_bucket(double precision) IS
    'Index (from 0) of the histogram bucket of that many milliseconds; four buckets to an octave.';
