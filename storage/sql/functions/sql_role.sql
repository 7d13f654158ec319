-- needs: functions/job_queue_enqueue, views/job_queue
-- The role that SQL commands of schedules log in with. A session of the owner's would not do, whatever role it took
-- on: deferred triggers and cursors WITH HOLD run at its commit, as whoever logged in.
-- A command may take from its own role what that has (DROP OWNED), and change its password: so what is missing is
-- given back each time, and p_renew makes a new password.
CREATE OR REPLACE FUNCTION callboard.sql_role(p_renew boolean DEFAULT false, OUT name text, OUT password text)
LANGUAGE plpgsql
AS $$
BEGIN
    SELECT max(s.value) FILTER (WHERE s.name = 'sql_role'), max(s.value) FILTER (WHERE s.name = 'sql_password')
      INTO name, password
      FROM callboard.schema_state s;
    IF p_renew OR name IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = sql_role.name) THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('callboard.sql_role', 0));
        SELECT s.value INTO name FROM callboard.schema_state s WHERE s.name = 'sql_role';
        name := coalesce(name, 'callboard_sql_' || left(md5(gen_random_uuid()::text), 8));
        password := translate(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = sql_role.name) THEN
                EXECUTE format('CREATE ROLE %I', name);
            END IF;
            EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', name, password);
            IF NOT pg_has_role(name, 'USAGE') THEN
                EXECUTE format('GRANT %I TO CURRENT_USER', name);
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'SQL commands run under a role of their own, which "%" may not create.', current_user
                USING ERRCODE = 'insufficient_privilege',
                      HINT = format('ALTER ROLE %I CREATEROLE; it is needed once, and can be taken back after.',
                                    current_user);
        END;
        INSERT INTO callboard.schema_state AS s (name, value)
        VALUES ('sql_role', sql_role.name), ('sql_password', sql_role.password)
        ON CONFLICT ON CONSTRAINT schema_state_pkey DO UPDATE SET value = excluded.value, updated_at = now();
    END IF;
    IF NOT has_database_privilege(name, current_database(), 'CONNECT') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name);
    END IF;
    IF NOT has_schema_privilege(name, 'public', 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', name);
    END IF;
    IF NOT has_function_privilege(name, 'public.job_queue_enqueue(text, jsonb, timestamptz, integer)', 'EXECUTE') THEN
        EXECUTE format(
            'GRANT EXECUTE ON FUNCTION public.job_queue_enqueue(text, jsonb, timestamptz, integer) TO %I', name);
    END IF;
    -- Enough to clean up by; what jobs were given and what they returned is not shown.
    IF NOT has_table_privilege(name, 'public.job_queue', 'DELETE') THEN
        EXECUTE format(
            'GRANT DELETE, SELECT (id, task_type, status, attempts, max_attempts, run_at, created_at, started_at,'
            ' completed_at) ON public.job_queue TO %I', name);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION callboard.sql_role(boolean) FROM PUBLIC;

COMMENT ON FUNCTION callboard.sql_role(boolean) IS
    'The login of SQL commands, made if need be; 42501 where the owner may create no roles.';
