-- needs: functions/hist_count, functions/hist_add
CREATE OR REPLACE AGGREGATE callboard.hist_of(double precision) (
    SFUNC = callboard.hist_count,
    STYPE = integer[],
    INITCOND = '{}',
    COMBINEFUNC = callboard.hist_add,
    PARALLEL = SAFE
);

COMMENT ON AGGREGATE callboard.hist_of(double precision) IS
    'The histogram of durations in ms, as long as its last bucket that is not empty.';
