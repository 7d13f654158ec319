-- Changes are announced to whoever listens: callboard_outbox (an empty payload: look into the outbox and the
-- signals), callboard_control (the job whose switch changed), callboard_schedules (the schedule's id).
CREATE OR REPLACE FUNCTION callboard.notify_outbox() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_notify('callboard_outbox', '');
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER outbox_notify
    AFTER INSERT ON callboard.outbox
    FOR EACH STATEMENT EXECUTE FUNCTION callboard.notify_outbox();

CREATE OR REPLACE TRIGGER signals_notify
    AFTER INSERT ON callboard.signals
    FOR EACH STATEMENT EXECUTE FUNCTION callboard.notify_outbox();

COMMENT ON FUNCTION callboard.notify_outbox() IS 'Wakes the relay.';
