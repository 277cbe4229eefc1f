-- Each row keeps an item as a JSON document, in a column of type text: jsonb
-- refuses \u0000, which a name or a user agent may contain. The other columns
-- serve queries. All keys compare byte by byte, independent of the server's
-- locale. Times are rounded down to microseconds.

CREATE TABLE realms (
	name   text COLLATE "C" PRIMARY KEY,
	format integer NOT NULL
);
COMMENT ON COLUMN realms.format IS 'The highest format of documents that was written.';

CREATE TABLE users (
	realm     text COLLATE "C" NOT NULL,
	id        text COLLATE "C" NOT NULL,
	email_key text COLLATE "C",
	domain    text COLLATE "C",
	version   bigint NOT NULL DEFAULT 0,
	doc       text NOT NULL,
	PRIMARY KEY (realm, id),
	CONSTRAINT users_email_key UNIQUE (realm, email_key)
) WITH (fillfactor = 85);
CREATE INDEX users_by_domain ON users (domain, realm, id);
COMMENT ON COLUMN users.version IS 'Incremented by each change of the user, its identities or its sessions.';
COMMENT ON COLUMN users.email_key IS 'The key of the verified address, or NULL. Domain belongs to it.';

CREATE TABLE identities (
	realm    text COLLATE "C" NOT NULL,
	key      bytea NOT NULL,
	user_id  text COLLATE "C" NOT NULL,
	unlinked boolean NOT NULL,
	expires  timestamptz,
	doc      text NOT NULL,
	PRIMARY KEY (realm, key)
);
CREATE INDEX identities_by_user ON identities (user_id, realm);
CREATE INDEX identities_by_expiry ON identities (expires, realm);
COMMENT ON COLUMN identities.key IS 'A digest of the identity key, which may be too long for an index.';

CREATE TABLE sessions (
	realm   text COLLATE "C" NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	id      text COLLATE "C" NOT NULL,
	expires timestamptz NOT NULL,
	seen    timestamptz,
	doc     text NOT NULL,
	PRIMARY KEY (user_id, realm, id)
) WITH (fillfactor = 80);
CREATE INDEX sessions_by_expiry ON sessions (expires, realm);
COMMENT ON COLUMN sessions.seen IS 'The last activity, if it is later than in the document.';

CREATE TABLE records (
	realm   text COLLATE "C" NOT NULL,
	kind    text COLLATE "C" NOT NULL,
	key     text COLLATE "C" NOT NULL,
	owner   text COLLATE "C" NOT NULL,
	created timestamptz NOT NULL,
	expires timestamptz,
	doc     text NOT NULL,
	PRIMARY KEY (key, kind, realm)
) WITH (fillfactor = 85);
COMMENT ON COLUMN records.owner IS 'A record without an owner has one of its own, which begins with \x01.';
CREATE INDEX records_by_owner ON records (owner, realm, kind, created, key);
CREATE INDEX records_by_kind ON records ((kind || ''), realm, created, key);
COMMENT ON INDEX records_by_kind IS 'It has an expression so that only listings of all records of a kind use it.';
CREATE INDEX records_by_expiry ON records (expires, realm);

CREATE TABLE feed (
	realm  text COLLATE "C" NOT NULL,
	kind   text COLLATE "C" NOT NULL,
	id     text COLLATE "C" NOT NULL,
	xid    xid8 NOT NULL DEFAULT pg_current_xact_id(),
	made   timestamptz NOT NULL DEFAULT clock_timestamp(),
	forget timestamptz NOT NULL,
	doc    text NOT NULL,
	PRIMARY KEY (id, kind, realm)
);
CREATE INDEX feed_by_transaction ON feed (realm, xid);
CREATE INDEX feed_by_expiry ON feed (forget, realm);
COMMENT ON TABLE feed IS 'Revocations. A reader remembers which transactions it has seen.';
COMMENT ON COLUMN feed.made IS 'By the clock of this server. It measures delays and decides nothing.';

-- A crash empties this table, and a standby does not have it: both may reuse
-- numbers of transactions that readers have seen.
CREATE UNLOGGED TABLE feed_epoch (
	single  boolean PRIMARY KEY DEFAULT true CHECK (single),
	started timestamptz NOT NULL,
	nonce   text NOT NULL
);
COMMENT ON TABLE feed_epoch IS 'Cursors of the feed are valid as long as the nonce is the same.';

CREATE TABLE keys (
	realm   text COLLATE "C" PRIMARY KEY,
	version bigint NOT NULL,
	doc     text NOT NULL
);
COMMENT ON COLUMN keys.doc IS 'SECRET: a reader of the signing keys can issue tokens.';

-- Counting does not wait for the disk. A crash of the server resets all counters.
CREATE UNLOGGED TABLE counters (
	realm      text COLLATE "C" NOT NULL,
	key        bytea NOT NULL,
	limit_name text COLLATE "C" NOT NULL,
	n          integer NOT NULL,
	reset      timestamptz NOT NULL,
	PRIMARY KEY (key, realm)
) WITH (fillfactor = 50);
CREATE INDEX counters_by_limit ON counters (realm, limit_name, reset);
CREATE INDEX counters_by_reset ON counters (reset, realm);
COMMENT ON COLUMN counters.key IS 'A digest of limit, party and window.';
