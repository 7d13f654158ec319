-- Switches a job on or off in the running fleet. Who asks is any text; where it is a UUID it is kept as such.
CREATE OR REPLACE FUNCTION public.toggle_cron_job(p_job_name text, p_enabled boolean, p_user_id text DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    c_uuid constant text := '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
    v_by uuid := CASE WHEN p_user_id ~* c_uuid THEN p_user_id::uuid END;
BEGIN
    IF p_enabled IS NULL THEN
        RAISE EXCEPTION 'Job "%" can be switched on (true) or off (false), not to NULL.', p_job_name
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    PERFORM set_config('callboard.who', coalesce(p_user_id, ''), true);
    UPDATE public.cron_job_config
       SET enabled = p_enabled, last_modified_at = now(), last_modified_by = v_by
     WHERE job_name = p_job_name;
    IF NOT FOUND THEN
        IF NOT EXISTS (SELECT FROM callboard.jobs WHERE name = p_job_name) THEN
            RAISE EXCEPTION 'There is no job "%".', p_job_name
                USING ERRCODE = 'no_data_found',
                      HINT = 'SELECT job_name FROM cron_job_config shows all that there are.';
        END IF;
        INSERT INTO public.cron_job_config (job_name, enabled, last_modified_by)
        VALUES (p_job_name, p_enabled, v_by);
    END IF;
    PERFORM set_config('callboard.who', '', true);
    RETURN true;
END
$$;

COMMENT ON FUNCTION public.toggle_cron_job(text, boolean, text) IS
    'Public contract: switches a job on or off; true, or P0002 if there is no such job.';

CREATE OR REPLACE FUNCTION public.toggle_cron_job(p_job_name text, p_enabled boolean, p_user_id uuid)
RETURNS boolean
LANGUAGE sql
AS $$ SELECT public.toggle_cron_job(p_job_name, p_enabled, p_user_id::text) $$;

COMMENT ON FUNCTION public.toggle_cron_job(text, boolean, uuid) IS
    'Public contract: the same for a caller that holds the user''s id as a UUID.';
