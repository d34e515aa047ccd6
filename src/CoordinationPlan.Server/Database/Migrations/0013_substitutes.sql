-- Who comes to a meeting instead of whom was asked for.
--
-- Runs with the service before it, which does not say so, and the service after it.

SET LOCAL search_path = coordinationplan;

-- Sealed with the person's key: who meets a person can tell who the person is.
ALTER TABLE meeting_call ADD COLUMN body bytea;
SELECT extend_history_of('meeting_call');
