-- Suggestions of plans.
--
-- Runs with the service before it and the service after it: it changes no table that is there.

SET LOCAL search_path = coordinationplan;

-- A school's suggestion that a person needs a plan, to one unit. It names no plan before it is answered.
CREATE TABLE plan_suggestion (
    suggestion_id uuid PRIMARY KEY,
    subject_id uuid NOT NULL REFERENCES subject,
    recipient_unit_id text NOT NULL REFERENCES unit,
    sender_unit_id text NOT NULL REFERENCES unit,
    -- 1 open, 2 answered, 3 set aside: its sender is kept out from the person.
    state smallint NOT NULL,
    sent_at timestamptz NOT NULL,
    -- Who is meant, why, and whom to ask, sealed with the person's key.
    body bytea NOT NULL,
    -- The plan that was opened from it, or why none was.
    plan_id uuid REFERENCES plan,
    dismissal smallint NOT NULL DEFAULT 0,
    -- Where the answer is documented, sealed.
    answer bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX plan_suggestion_to_answer ON plan_suggestion (recipient_unit_id, sent_at, suggestion_id) WHERE state = 1;

SELECT keep_history_of('plan_suggestion');
ALTER TABLE plan_suggestion OWNER TO coordplan_owner;
ALTER TABLE plan_suggestion_history OWNER TO coordplan_owner;
ALTER FUNCTION keep_plan_suggestion() OWNER TO coordplan_owner;
REVOKE ALL ON FUNCTION keep_plan_suggestion() FROM PUBLIC;

GRANT SELECT, INSERT, UPDATE ON plan_suggestion TO coordplan_case;
