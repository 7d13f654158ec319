-- Callboard's own processes audit what they do themselves; whoever else pauses by SQL is audited here.
CREATE OR REPLACE FUNCTION callboard.pause_changed() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    v_scope text := CASE TG_OP WHEN 'DELETE' THEN OLD.scope ELSE NEW.scope END;
    v_name text := CASE TG_OP WHEN 'DELETE' THEN OLD.name ELSE NEW.name END;
BEGIN
    PERFORM pg_notify('callboard_control', v_name);
    IF current_setting('application_name') NOT LIKE 'callboard%' THEN
        INSERT INTO callboard.audit (who, origin, action, target, before, after)
        VALUES (
            session_user, 'sql', CASE TG_OP WHEN 'DELETE' THEN 'resume' ELSE 'pause' END,
            trim(v_scope || ' ' || v_name),
            CASE WHEN TG_OP <> 'INSERT' THEN jsonb_build_object('reason', OLD.reason, 'by', OLD.paused_by) END,
            CASE WHEN TG_OP <> 'DELETE' THEN jsonb_build_object('reason', NEW.reason, 'by', NEW.paused_by) END
        );
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION callboard.pause_changed() IS 'Tells the fleet, and the audit log.';

CREATE OR REPLACE TRIGGER pauses_changed
    AFTER INSERT OR UPDATE OR DELETE ON callboard.pauses
    FOR EACH ROW EXECUTE FUNCTION callboard.pause_changed();
