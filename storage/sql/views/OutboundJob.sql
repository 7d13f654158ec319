-- Grain: one row per message that is to go out, or has gone out. Rows may be inserted, changed and removed.
CREATE OR REPLACE VIEW public."OutboundJob" AS
SELECT id,
       "customerId",
       "to",
       kind,
       payload,
       status,
       attempts,
       "maxAttempts",
       "runAt",
       "idempotencyKey",
       "requestId",
       "providerMessageId",
       error,
       "createdAt",
       "startedAt",
       "completedAt",
       marketing
  FROM business."OutboundJob";

COMMENT ON VIEW public."OutboundJob" IS
    'Public contract: outbound messages, queued, running, done, failed or uncertain. Insert a row to have a message sent.';
