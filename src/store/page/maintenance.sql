-- A maintenance is an incident with a schedule.
ALTER TABLE incident ADD COLUMN scheduled_for INTEGER;
ALTER TABLE incident ADD COLUMN scheduled_until INTEGER;
-- Whether it begins and ends by itself, and whether its components show that.
ALTER TABLE incident ADD COLUMN begins INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN shows_work INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN shows_end INTEGER NOT NULL DEFAULT 0;
-- Whether subscribers are to be told when it begins or ends by itself.
ALTER TABLE incident ADD COLUMN notifies INTEGER NOT NULL DEFAULT 0;
CREATE INDEX incident_scheduled ON incident (page_id, status) WHERE scheduled_for IS NOT NULL;
