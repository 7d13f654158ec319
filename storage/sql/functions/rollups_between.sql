-- The fewest rollups that add up to a window [p_from, p_to): whole days (UTC) within it, the hours before and
-- after them, the minutes before and after those. p_from is rounded down to its minute, p_to too.
-- Plain SQL, so that the planner sees through it: each part becomes an index scan.
CREATE OR REPLACE FUNCTION callboard.rollups_between(p_from timestamptz, p_to timestamptz DEFAULT 'infinity')
RETURNS SETOF callboard.rollups
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT * FROM callboard.rollups
     WHERE width_s = 86400
       AND bucket >= date_trunc('day', p_from + interval '24 hours' - interval '1 microsecond', 'UTC')
       AND bucket < date_trunc('day', p_to, 'UTC')
    UNION ALL
    SELECT * FROM callboard.rollups
     WHERE width_s = 3600
       AND bucket >= date_trunc('hour', p_from + interval '1 hour' - interval '1 microsecond', 'UTC')
       AND bucket < least(
               date_trunc('day', p_from + interval '24 hours' - interval '1 microsecond', 'UTC'),
               date_trunc('hour', p_to, 'UTC'))
    UNION ALL
    SELECT * FROM callboard.rollups
     WHERE width_s = 3600
       AND bucket >= greatest(
               date_trunc('day', p_to, 'UTC'),
               date_trunc('day', p_from + interval '24 hours' - interval '1 microsecond', 'UTC'))
       AND bucket < date_trunc('hour', p_to, 'UTC')
    UNION ALL
    SELECT * FROM callboard.rollups
     WHERE width_s = 60
       AND bucket >= date_trunc('minute', p_from, 'UTC')
       AND bucket < least(
               date_trunc('hour', p_from + interval '1 hour' - interval '1 microsecond', 'UTC'),
               date_trunc('minute', p_to, 'UTC'))
    UNION ALL
    SELECT * FROM callboard.rollups
     WHERE width_s = 60
       AND bucket >= greatest(
               date_trunc('hour', p_to, 'UTC'),
               date_trunc('hour', p_from + interval '1 hour' - interval '1 microsecond', 'UTC'))
       AND bucket < date_trunc('minute', p_to, 'UTC')
$$;

COMMENT ON FUNCTION callboard.rollups_between(timestamptz, timestamptz) IS
    'The fewest rollups, of mixed widths, that add up to the window: sum them, count nothing else.';
