-- pg_cron's way of writing schedules in ours, checked as far as telling what is wrong takes no calendar: what can
-- never fire is found by the scheduler, which shows it as an alert.
CREATE OR REPLACE FUNCTION callboard.cron_expression(p_schedule text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    c_names constant text[] := ARRAY['second', 'minute', 'hour', 'day of month', 'month', 'day of week'];
    c_low constant integer[] := ARRAY[0, 0, 0, 1, 1, 0];
    c_high constant integer[] := ARRAY[59, 59, 23, 31, 12, 7];
    c_words constant text[] := ARRAY['', '', '', '', '|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC',
                                     '|SUN|MON|TUE|WED|THU|FRI|SAT'];
    v_text text := btrim(regexp_replace(p_schedule, '\s+', ' ', 'g'));
    v_seconds text := substring(v_text FROM '(?i)^(\d{1,4}) seconds?$');
    v_fields text[];
    v_first integer;
    v_number integer;
    v_value text;
    v_term text;
    v_part text[];
BEGIN
    IF v_text IS NULL OR v_text = '' OR length(v_text) > 512 THEN
        RAISE EXCEPTION 'A schedule is a text of 1 to 512 characters, such as ''*/5 * * * *''.'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write five fields, or ''30 seconds'', or @daily.';
    ELSIF v_seconds IS NOT NULL THEN
        IF v_seconds::integer = 0 OR v_seconds::integer > 59 OR 60 % v_seconds::integer <> 0 THEN
            RAISE EXCEPTION 'The schedule ''%'' does not divide the minute.', v_text
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = 'Write 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30 seconds.';
        END IF;
        RETURN format('*/%s * * * * *', v_seconds::integer);
    ELSIF v_text LIKE '@%' THEN
        IF lower(v_text) NOT IN ('@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly') THEN
            RAISE EXCEPTION 'The schedule ''%'' is unknown.', left(v_text, 40)
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = 'Write @yearly, @monthly, @weekly, @daily or @hourly.';
        END IF;
        RETURN lower(v_text);
    END IF;

    v_fields := string_to_array(v_text, ' ');
    IF cardinality(v_fields) NOT IN (5, 6) THEN
        RAISE EXCEPTION 'The schedule ''%'' has % fields.', left(v_text, 40), cardinality(v_fields)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Write five (minute, hour, day of month, month, day of week), or six with the second first.';
    END IF;
    v_first := 6 - cardinality(v_fields);
    IF v_fields[4 - v_first] = '$' THEN
        v_fields[4 - v_first] := 'L';
    END IF;
    FOR v_number IN v_first + 1 .. 6 LOOP
        v_value := '(?:\d{1,2}' || c_words[v_number] || ')';
        FOREACH v_term IN ARRAY string_to_array(upper(v_fields[v_number - v_first]), ',') LOOP
            CONTINUE WHEN v_number = 4 AND v_term IN ('L', 'LW');
            CONTINUE WHEN v_number = 6 AND v_term ~ ('^' || v_value || '(?:L|#[1-5])$');
            v_part := regexp_match(v_term, '^(?:\*|(' || v_value || ')(?:-(' || v_value || '))?)(?:/(\d{1,2}))?$');
            IF v_part IS NULL
               OR EXISTS (SELECT FROM unnest(v_part[1:2]) AS u (given)
                           WHERE given ~ '^\d' AND given::integer NOT BETWEEN c_low[v_number] AND c_high[v_number])
               OR (v_part[1] ~ '^\d' AND v_part[2] ~ '^\d' AND v_part[1]::integer > v_part[2]::integer)
               OR v_part[3]::integer NOT BETWEEN 1 AND c_high[v_number] - c_low[v_number] + 1
            THEN
                RAISE EXCEPTION 'The % field of the schedule ''%'' is wrong: ''%'' is not understood.',
                    c_names[v_number], left(v_text, 60), left(v_term, 40)
                    USING ERRCODE = 'invalid_parameter_value',
                          HINT = format('Write values from %s to %s, ranges, lists, steps or *.',
                                        c_low[v_number], c_high[v_number]);
            END IF;
        END LOOP;
    END LOOP;
    RETURN array_to_string(v_fields, ' ');
END
$$;

COMMENT ON FUNCTION callboard.cron_expression(text) IS
    'The expression that a schedule in pg_cron''s way means (30 seconds; $ for the last day of the month); 22023 if none.';
