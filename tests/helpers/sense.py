"""What must never be found among business rows: a sentence each, and a query whose rows contradict it."""

#: `:now` is the moment at which the rows end.
NEVER = {
    "nothing is done for somebody who has not come yet": """
SELECT c.id FROM business.customers c
  JOIN (SELECT customer_id, completed_at AS at FROM business.completed_jobs
         UNION ALL SELECT customer_id, created_at FROM business.opportunities
         UNION ALL SELECT customer_id, created_at FROM business.sessions
         UNION ALL SELECT customer_id, at FROM business.portal_events
         UNION ALL SELECT customer_id, at FROM business.points_ledger
         UNION ALL SELECT customer_id, queued_at FROM business.promotion_deliveries
         UNION ALL SELECT "customerId", "createdAt" FROM business."OutboundJob"
         UNION ALL SELECT customer_id, awarded_at FROM business.customer_achievements
         UNION ALL SELECT customer_id, changed_at FROM business.tier_changes
         UNION ALL SELECT id, least(whatsapp_consent_at, email_consent_at, marketing_consent_at)
                     FROM business.customers) done ON done.customer_id = c.id
 WHERE done.at < c.created_at""",
    "points are the sum of the ledger": """
SELECT c.id FROM business.customers c LEFT JOIN business.points_ledger l ON l.customer_id = c.id
 GROUP BY c.id HAVING c.points <> coalesce(sum(l.points), 0)""",
    "nobody spends points before having them": """
SELECT customer_id
  FROM (SELECT customer_id, sum(points) OVER (PARTITION BY customer_id ORDER BY at, id) AS had
          FROM business.points_ledger) l
 WHERE had < 0""",
    "points for a job go to its customer, after it, at some tier's multiplier": """
SELECT l.id FROM business.points_ledger l
  LEFT JOIN business.completed_jobs j ON j.id::text = l.reference AND j.customer_id = l.customer_id
 WHERE l.reason = 'job'
   AND (j.id IS NULL OR l.at < j.completed_at
        OR NOT EXISTS (SELECT FROM business.loyalty_tiers t
                        WHERE l.points = floor(j.amount_cents * t.multiplier / 100)))""",
    "a job of more than a night ago is credited": """
SELECT j.id FROM business.completed_jobs j
 WHERE j.completed_at < cast(:now AS timestamptz) - interval '1 day'
   AND NOT EXISTS (SELECT FROM business.points_ledger l WHERE l.customer_id = j.customer_id
                      AND l.reason = 'job' AND l.reference = j.id::text)""",
    "changes of tier follow each other upwards, and end at the tier that a customer has": """
SELECT c.id FROM business.customers c
  LEFT JOIN LATERAL (SELECT to_tier_id FROM business.tier_changes t WHERE t.customer_id = c.id
                      ORDER BY changed_at DESC, id DESC LIMIT 1) last ON true
 WHERE last.to_tier_id IS DISTINCT FROM c.tier_id
 UNION ALL
SELECT customer_id FROM (SELECT t.*, lag(to_tier_id) OVER (PARTITION BY customer_id ORDER BY changed_at, t.id)
                                AS before FROM business.tier_changes t) t
  JOIN business.loyalty_tiers reached ON reached.id = t.to_tier_id
 WHERE t.before IS DISTINCT FROM t.from_tier_id OR t.points < reached.points
    OR t.to_tier_id <= t.from_tier_id""",
    "a tier that was reached has brought its bonus": """
SELECT c.id FROM business.customers c
  JOIN business.loyalty_tiers has ON has.id = c.tier_id
  JOIN business.loyalty_tiers t ON t.rank <= has.rank AND t.bonus > 0
 WHERE NOT EXISTS (SELECT FROM business.points_ledger l WHERE l.customer_id = c.id AND l.reason = 'tier'
                      AND l.reference = t.id::text AND l.points = t.bonus)""",
    "an achievement and its points come together": """
SELECT coalesce(h.customer_id, l.customer_id)
  FROM business.customer_achievements h
  FULL JOIN (SELECT * FROM business.points_ledger WHERE reason = 'achievement') l
         ON l.customer_id = h.customer_id AND l.reference = h.achievement_id::text
  LEFT JOIN business.achievements a ON a.id = h.achievement_id
 WHERE a.points IS DISTINCT FROM l.points OR h.awarded_at IS DISTINCT FROM l.at""",
    "who recommends somebody was there first, and both are rewarded after the first job, or neither": """
SELECT r.id FROM business.referrals r
  JOIN business.customers a ON a.id = r.referrer_id
  JOIN business.customers b ON b.id = r.referred_id
 WHERE a.created_at > b.created_at OR r.created_at < b.created_at
    OR (r.status = 'rewarded') <> (r.rewarded_at IS NOT NULL)
    OR (r.converted_at IS NULL) <> (r.rewarded_at IS NULL) OR r.rewarded_at < r.converted_at
    OR (SELECT count(*) FROM business.points_ledger l WHERE l.reason = 'referral' AND l.reference = r.id::text
           AND l.customer_id IN (r.referrer_id, r.referred_id))
       <> CASE r.status WHEN 'rewarded' THEN 2 ELSE 0 END
    OR r.converted_at <> (SELECT min(completed_at) FROM business.completed_jobs j
                           WHERE j.customer_id = r.referred_id AND j.completed_at >= r.created_at)""",
    "a review is asked for after the work, and comes after that": """
SELECT r.id FROM business.review_requests r
  JOIN business.completed_jobs j ON j.id = r.completed_job_id
 WHERE j.customer_id <> r.customer_id OR r.requested_at < j.completed_at + interval '1 day'
    OR r.reviewed_at < r.requested_at OR r.escalated_at < r.reviewed_at
    OR r.last_reminder_at < r.requested_at OR (r.reminders = 0) <> (r.last_reminder_at IS NULL)
    OR r.last_reminder_at > coalesce(r.reviewed_at, 'infinity')
    OR (r.status IN ('reviewed', 'escalated')) <> (r.reviewed_at IS NOT NULL)
    OR (r.status = 'escalated') <> (r.escalated_at IS NOT NULL)
    OR r.status = 'escalated' AND r.rating > 2 OR r.outbound_id IS NULL""",
    "no customer has two requests for a review open at a time": """
SELECT r.id FROM business.review_requests r
  JOIN business.review_requests other ON other.customer_id = r.customer_id AND other.id > r.id
 WHERE other.requested_at < coalesce(r.reviewed_at, CASE r.status WHEN 'expired'
                                     THEN r.requested_at + interval '30 days' ELSE 'infinity' END)""",
    "an opportunity goes on in time": """
SELECT o.id FROM business.opportunities o LEFT JOIN business.offers f ON f.opportunity_id = o.id
 WHERE o.missed_at < o.created_at OR o.closed_at < o.created_at
    OR f.made_at < o.missed_at + interval '2 days' OR o.closed_at < f.made_at
    OR f.id IS NOT NULL AND o.missed_at IS NULL OR o.status = 'offered' AND f.id IS NULL
    OR o.status IN ('open') AND f.id IS NOT NULL OR o.status = 'expired' AND o.closed_at < f.expires_at
    OR (f.accepted_at IS NOT NULL) <> (o.status = 'won' AND f.id IS NOT NULL)
    OR f.accepted_at NOT BETWEEN f.made_at AND f.expires_at OR f.accepted_at <> o.closed_at
    OR f.last_reminder_at < f.made_at OR f.last_reminder_at > least(f.expires_at, o.closed_at)
    OR (f.reminders = 0) <> (f.last_reminder_at IS NULL)""",
    "no customer has two offers open at a time": """
  WITH open AS (SELECT o.customer_id, f.id, f.made_at, coalesce(o.closed_at, 'infinity') AS until
                  FROM business.opportunities o JOIN business.offers f ON f.opportunity_id = o.id)
SELECT a.id FROM open a JOIN open b USING (customer_id)
 WHERE a.id < b.id AND a.made_at < b.until AND b.made_at < a.until""",
    "a delivery goes on in time, and earns only what was redeemed": """
SELECT d.id FROM business.promotion_deliveries d JOIN business.promotions p ON p.id = d.promotion_id
 WHERE d.handled_at < d.queued_at OR d.opened_at < d.handled_at OR d.redeemed_at < d.opened_at
    OR d.queued_at < p.starts_at OR d.queued_at >= p.ends_at
    OR (d.status = 'queued') <> (d.handled_at IS NULL)
    OR (d.status IN ('failed', 'passed_over')) <> (d.reason IS NOT NULL)
    OR (d.status IN ('failed', 'sent')) <> (d.outbound_id IS NOT NULL)
    OR (d.redeemed_at IS NULL) <> (d.revenue_cents IS NULL)
    OR d.redeemed_at IS NOT NULL AND d.opened_at IS NULL
    OR d.opened_at IS NOT NULL AND d.status <> 'sent'
    OR d.due_on NOT BETWEEN (d.queued_at - interval '12 hours')::date
                        AND (d.queued_at + interval '36 hours')::date""",
    "nobody gets a promotion of a trigger twice within its cooldown": """
SELECT a.id FROM business.promotion_deliveries a
  JOIN business.promotion_deliveries b USING (promotion_id, customer_id)
 WHERE a.id < b.id AND abs(a.due_on - b.due_on) < 90""",
    "no message but an answer reaches somebody who has not consented, or not any more": """
SELECT o.id FROM business."OutboundJob" o JOIN business.customers c ON c.id = o."customerId"
 WHERE o.kind <> 'reply' AND o.status = 'done'
   AND (o."createdAt" < c.whatsapp_consent_at
        OR c.whatsapp_consent_at IS NULL
           AND NOT EXISTS (SELECT FROM business."OutboundJob" stop
                            WHERE stop."customerId" = c.id AND stop.kind = 'reply'
                              AND stop.payload #>> '{inbound,text}' = 'Stop'
                              AND stop."createdAt" > o."runAt"))""",
    "no promotion and no offer is sent without consent to promotions": """
SELECT o.id FROM business."OutboundJob" o JOIN business.customers c ON c.id = o."customerId"
 WHERE (o."idempotencyKey" LIKE 'offer:%' OR o."idempotencyKey" LIKE 'delivery:%')
   AND (o."createdAt" < c.marketing_consent_at
        OR c.marketing_consent_at IS NULL AND c.whatsapp_consent_at IS NOT NULL)
 UNION ALL
SELECT id FROM business."OutboundJob"
 WHERE marketing <> ("idempotencyKey" LIKE 'offer:%' OR "idempotencyKey" LIKE 'delivery:%')
   AND kind = 'template'""",
    "a message's state and its times agree": """
SELECT id FROM business."OutboundJob"
 WHERE "runAt" < "createdAt" - interval '1 minute' OR "startedAt" < "runAt" OR "completedAt" < "startedAt"
    OR (status IN ('done', 'failed')) <> ("completedAt" IS NOT NULL)
    OR (status = 'done') <> ("providerMessageId" IS NOT NULL)
    OR (status IN ('failed', 'uncertain')) <> (error IS NOT NULL)
    OR (status = 'queued') <> (attempts = 0) OR (status = 'queued') <> ("startedAt" IS NULL)
    OR status = 'queued' AND "runAt" < cast(:now AS timestamptz) - interval '1 minute'""",
    "a message goes to its customer's number and belongs to what it says": """
SELECT o.id FROM business."OutboundJob" o
  LEFT JOIN business.customers c ON c.id = o."customerId"
  LEFT JOIN business.offers f ON 'offer:' || f.id = o."idempotencyKey"
  LEFT JOIN business.promotion_deliveries d ON 'delivery:' || d.id = o."idempotencyKey"
  LEFT JOIN business.review_requests r ON 'review:' || r.id = o."idempotencyKey"
 WHERE c.phone IS DISTINCT FROM o."to"
    OR o."idempotencyKey" ~ '^(offer|delivery|review):[0-9]+$'
       AND o.id IS DISTINCT FROM coalesce(f.outbound_id, d.outbound_id, r.outbound_id)""",
    "a letter goes to a customer who has consented, and its state and times agree": """
SELECT e.id FROM business.email_queue e LEFT JOIN business.customers c ON c.email = e.to_address
 WHERE c.id IS NULL OR c.email_consent_at IS NULL OR e.created_at < c.email_consent_at
    OR e.run_at < e.created_at OR e.sent_at < e.run_at
    OR (e.status = 'sent') <> (e.sent_at IS NOT NULL) OR (e.status = 'failed') <> (e.error IS NOT NULL)
    OR (e.status = 'pending') <> (e.attempts = 0)
    OR e.status = 'pending' AND e.run_at < cast(:now AS timestamptz) - interval '2 minutes'""",
    "what is done in a session begins with its login and ends before it expires": """
SELECT e.id FROM business.portal_events e LEFT JOIN business.sessions s ON s.id = e.session_id
 WHERE s.id IS NULL OR s.customer_id <> e.customer_id OR e.at < s.created_at OR e.at > s.expires_at
    OR s.deleted_at < s.expires_at OR (e.kind = 'login') <> (e.at = s.created_at)""",
    "every portal day but the last has the figures of its events": """
  WITH counted AS (SELECT (at AT TIME ZONE 'UTC')::date AS day, coalesce(kind, 'all') AS kind
                        , count(*)::integer AS events, count(DISTINCT customer_id)::integer AS customers
                        , count(DISTINCT session_id)::integer AS sessions
                     FROM business.portal_events
                    WHERE at < cast(:now AS timestamptz) - interval '1 day'
                    GROUP BY 1, GROUPING SETS ((kind), ())),
       kept AS (SELECT day, kind, events, customers, sessions FROM business.portal_daily)
(SELECT * FROM counted EXCEPT SELECT * FROM kept)
 UNION ALL
(SELECT * FROM kept EXCEPT SELECT * FROM counted)""",
    "totals are at least what the solves add up to, and flagged where they are behind": """
SELECT k.id FROM business.competitors k
  LEFT JOIN business.competitor_totals t ON t.competitor_id = k.id
 CROSS JOIN LATERAL (SELECT count(*) AS solves, coalesce(sum(points), 0) AS points, max(solved_at) AS last_at
                       FROM business.challenge_solves s WHERE s.competitor_id = k.id) s
 WHERE (k.platform_id IS NULL) <> (t.competitor_id IS NULL) OR k.platform_id IS NULL AND s.solves > 0
    OR (k.platform_id IS NULL) <> (k.synced_at IS NULL)
    OR NOT k.needs_totals_refresh
       AND (t.solves < s.solves OR t.points < s.points OR s.last_at <> t.last_solve_at)
    OR k.needs_totals_refresh AND s.last_at <= coalesce(t.last_solve_at, '-infinity')
    OR t.last_solve_at > t.refreshed_at OR s.last_at > k.synced_at""",
    "of two competitors the one with more points has the better rank": """
SELECT a.competitor_id
  FROM business.competitor_totals a JOIN business.competitor_totals b ON a.points > b.points
 WHERE a.rank >= b.rank""",
    "a video is checked after it was made, and has a duration where it is ready": """
SELECT id FROM business.streamings
 WHERE checked_at < created_at OR status <> 'queued' AND checked_at IS NULL
    OR (status = 'ready') <> (duration IS NOT NULL) OR (status = 'error') <> (error IS NOT NULL)""",
    "a record is synchronised after it has changed": """
SELECT id FROM business.external_records WHERE synced_at < changed_at OR deleted_at <> changed_at""",
    "a measurement is fetched after it was made, is positive, and has its indices": """
SELECT location_id FROM business.measurements
 WHERE fetched_at < measured_at OR least(pm2_5, pm10, o3, no2, so2, co) <= 0
    OR us_aqi NOT BETWEEN 0 AND 500 OR eu_aqi NOT BETWEEN 1 AND 6
    OR us_aqi IS NULL OR eu_aqi IS NULL OR dominant IS NULL OR pm10 IS NULL""",
    "a day is finalised when it is over there, with all that was measured": """
SELECT s.location_id FROM business.daily_statistics s
  JOIN business.locations l ON l.id = s.location_id
  LEFT JOIN (SELECT m.location_id, (m.measured_at AT TIME ZONE l.time_zone)::date AS day, count(*) AS n
                  , max(m.us_aqi) AS worst
               FROM business.measurements m JOIN business.locations l ON l.id = m.location_id
              GROUP BY 1, 2) m ON m.location_id = s.location_id AND m.day = s.day
 WHERE s.finalised_at < (s.day + 1)::timestamp AT TIME ZONE l.time_zone - interval '1 minute'
    OR s.measurements IS DISTINCT FROM m.n OR s.us_aqi_max <> m.worst""",
    "an alert is resolved after it was opened, and one thing has one alert at a time": """
SELECT a.id FROM callboard.alerts a LEFT JOIN callboard.alerts b
    ON b.kind = a.kind AND b.subject = a.subject AND b.id > a.id AND b.opened_at < a.resolved_at
 WHERE a.resolved_at < a.opened_at OR b.id IS NOT NULL
    OR a.kind = 'review' AND NOT EXISTS (SELECT FROM business.review_requests r
                                          WHERE 'review:' || r.id = a.subject
                                            AND r.escalated_at BETWEEN a.opened_at - interval '1 minute'
                                                                   AND a.opened_at)""",
    "a report was made after its day": """
SELECT id FROM business.reports WHERE made_at < (day::date + 1)::timestamp - interval '14 hours'""",
}
