-- needs: functions/fits_type
-- The arguments by name that a JSON object means to a job, checked against the signature that its code declared. A
-- key that the signature does not have, and whose snake_case form it has, is taken for that: coachId for coach_id.
CREATE OR REPLACE FUNCTION callboard.job_kwargs(p_job callboard.jobs, p_payload jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    c_most constant integer := 65536;
    v_named jsonb;
    v_open boolean;
    v_kwargs jsonb := '{}';
    v_key text;
    v_name text;
    v_value jsonb;
    v_takes text;
BEGIN
    IF jsonb_typeof(p_payload) <> 'object' THEN
        RAISE EXCEPTION 'The payload of job "%" must be a JSON object, not of type %.', p_job.name, jsonb_typeof(p_payload)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Its keys become the job''s arguments: ''{"coachId": "..."}''::jsonb.';
    ELSIF octet_length(p_payload::text) > c_most THEN
        RAISE EXCEPTION 'The payload of job "%" takes % bytes; at most % are kept.',
            p_job.name, octet_length(p_payload::text), c_most
            USING ERRCODE = 'program_limit_exceeded',
                  HINT = 'Keep what is large in a table, and give the job its key.';
    END IF;
    SELECT coalesce(jsonb_object_agg(p ->> 'name', p) FILTER (
               WHERE p ->> 'kind' IN ('positional_or_keyword', 'keyword_only')), '{}'),
           coalesce(bool_or(p ->> 'kind' = 'var_keyword'), false),
           string_agg(p ->> 'name', ', ') FILTER (WHERE p ->> 'kind' IN ('positional_or_keyword', 'keyword_only'))
      INTO v_named, v_open, v_takes
      FROM jsonb_array_elements(p_job.signature) AS p;
    v_takes := coalesce('It takes: ' || v_takes || '.', 'It takes no arguments by name.');

    FOR v_key, v_value IN SELECT * FROM jsonb_each(p_payload) LOOP
        v_name := v_key;
        IF NOT v_named ? v_key THEN
            v_name := lower(regexp_replace(regexp_replace(
                v_key, '([a-z0-9])([A-Z])', '\1_\2', 'g'), '([A-Z]+)([A-Z][a-z])', '\1_\2', 'g'));
            IF NOT v_named ? v_name THEN
                IF NOT v_open THEN
                    RAISE EXCEPTION 'The job "%" takes no argument "%".', p_job.name, left(v_key, 100)
                        USING ERRCODE = 'invalid_parameter_value', HINT = v_takes;
                END IF;
                v_name := v_key;
            END IF;
        END IF;
        IF v_kwargs ? v_name THEN
            RAISE EXCEPTION 'The argument "%" of job "%" is given twice.', v_name, p_job.name
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Give it in one spelling.';
        ELSIF NOT callboard.fits_type(v_named -> v_name ->> 'type', v_value) THEN
            RAISE EXCEPTION 'The argument "%" of job "%" must be %, not %.',
                v_name, p_job.name, v_named -> v_name ->> 'type', left(v_value::text, 100)
                USING ERRCODE = 'invalid_parameter_value', HINT = v_takes;
        END IF;
        v_kwargs := v_kwargs || jsonb_build_object(v_name, v_value);
    END LOOP;

    SELECT p ->> 'name' INTO v_name
      FROM jsonb_array_elements(p_job.signature) AS p
     WHERE (p ->> 'required')::boolean AND NOT v_kwargs ? (p ->> 'name')
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'The job "%" needs the argument "%".', p_job.name, v_name
            USING ERRCODE = 'invalid_parameter_value', HINT = v_takes;
    END IF;
    RETURN v_kwargs;
END
$$;

COMMENT ON FUNCTION callboard.job_kwargs(callboard.jobs, jsonb) IS
    'The arguments by name that an object means to a job; 22023 where the job would fail on them at once.';
