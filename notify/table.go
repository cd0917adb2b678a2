package notify

// migrations bring the room's tables from one format to the next.
func migrations() [][]string {
	return [][]string{{
		`CREATE TABLE notify_rule (
			name TEXT PRIMARY KEY, pattern TEXT NOT NULL, target TEXT NOT NULL, secret TEXT NOT NULL, disabled SMALLINT NOT NULL,
			generation TEXT NOT NULL, position BIGINT NOT NULL, delivered BIGINT NOT NULL, last BIGINT NOT NULL, missed BIGINT NOT NULL,
			note TEXT NOT NULL, created BIGINT NOT NULL, updated BIGINT NOT NULL)`,
		// What a rule has yet to deliver, and what it never will (dead = 1).
		`CREATE TABLE notify_delivery (
			rule TEXT NOT NULL, id TEXT NOT NULL, event TEXT NOT NULL, attempt INTEGER NOT NULL, due BIGINT NOT NULL,
			first BIGINT NOT NULL, last BIGINT NOT NULL, why TEXT NOT NULL, dead SMALLINT NOT NULL, PRIMARY KEY (rule, id))`,
		`CREATE INDEX notify_delivery_due ON notify_delivery (rule, dead, due)`,
		// Which runs rules have started, so that none is started twice.
		`CREATE TABLE notify_start (
			rule TEXT NOT NULL, event TEXT NOT NULL, run TEXT NOT NULL, cause TEXT NOT NULL, started BIGINT NOT NULL, PRIMARY KEY (rule, event))`,
		`CREATE INDEX notify_start_run ON notify_start (run)`,
		`CREATE TABLE notify_hook (name TEXT PRIMARY KEY, kind TEXT NOT NULL, secret TEXT NOT NULL, created BIGINT NOT NULL)`,
		// Objects that were told of, as they were then.
		`CREATE TABLE notify_object (
			bucket TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, told BIGINT NOT NULL, PRIMARY KEY (bucket, key))`,
	}}
}
