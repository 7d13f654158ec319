-- The way back from callboard.cron_expression, for what pg_cron writes in another way.
CREATE OR REPLACE FUNCTION callboard.cron_text(p_expr text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE WHEN p_expr ~ '^\*/\d+ \* \* \* \* \*$' THEN substring(p_expr FROM '\d+') || ' seconds'
                WHEN p_expr ~ '^\S+ \S+ L \S+ \S+$' THEN regexp_replace(p_expr, ' L ', ' $ ')
                ELSE p_expr END
$$;

COMMENT ON FUNCTION callboard.cron_text(text) IS 'A cron expression as pg_cron writes it.';
