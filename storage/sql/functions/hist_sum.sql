-- needs: functions/hist_add
CREATE OR REPLACE AGGREGATE callboard.hist_sum(integer[]) (
    SFUNC = callboard.hist_add,
    STYPE = integer[],
    COMBINEFUNC = callboard.hist_add,
    PARALLEL = SAFE
);

COMMENT ON AGGREGATE callboard.hist_sum(integer[]) IS 'The sum of histograms; NULL if there are none.';
