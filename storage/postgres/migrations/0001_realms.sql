-- All keys are text compared byte by byte, so that no setting of the server makes
-- two of them one. Times are rounded down to microseconds.
--
-- Indexes beside a primary key end with the realm, but for revocations_by_number,
-- which is read in its order. To a database that has no statistics yet, as in its
-- first minute, all that begin with the realm look alike: the foreign keys of an
-- import would be checked by reading every user.

CREATE TABLE realms (
	name text COLLATE "C" PRIMARY KEY
);
COMMENT ON TABLE realms IS 'One row for each realm; locked while its signing keys change.';

CREATE TABLE feeds (
	realm text COLLATE "C" PRIMARY KEY,
	last  bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE feeds IS 'The number of the last change to revocations of a realm. Locked until the change is committed, so that numbers become visible in their order.';

CREATE TABLE users (
	realm          text COLLATE "C" NOT NULL,
	id             text COLLATE "C" NOT NULL,
	email          text NOT NULL,
	email_verified boolean NOT NULL,
	email_key      text COLLATE "C",
	first_name     text NOT NULL,
	last_name      text NOT NULL,
	avatar_url     text NOT NULL,
	nickname       text NOT NULL,
	disabled       boolean NOT NULL,
	created        timestamptz NOT NULL,
	PRIMARY KEY (realm, id),
	CONSTRAINT users_email_key UNIQUE (email_key, realm)
);
COMMENT ON COLUMN users.email_key IS 'What identifies the user by address: set while the address is verified.';

CREATE TABLE identities (
	realm    text COLLATE "C" NOT NULL,
	provider text COLLATE "C" NOT NULL,
	issuer   text COLLATE "C" NOT NULL,
	subject  text COLLATE "C" NOT NULL,
	user_id  text COLLATE "C" NOT NULL,
	email    text NOT NULL,
	created  timestamptz NOT NULL,
	PRIMARY KEY (realm, provider, issuer, subject),
	CONSTRAINT identities_user FOREIGN KEY (realm, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX identities_by_user ON identities (user_id, realm);

CREATE TABLE sessions (
	realm      text COLLATE "C" NOT NULL,
	id         text COLLATE "C" NOT NULL,
	user_id    text COLLATE "C" NOT NULL,
	token_id   text COLLATE "C" NOT NULL,
	client     text NOT NULL,
	method     text NOT NULL,
	created    timestamptz NOT NULL,
	expires    timestamptz NOT NULL,
	last_seen  timestamptz NOT NULL,
	ip         text NOT NULL,
	user_agent text NOT NULL,
	PRIMARY KEY (realm, id),
	CONSTRAINT sessions_user FOREIGN KEY (realm, user_id) REFERENCES users ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE INDEX sessions_by_user ON sessions (user_id, realm);
CREATE INDEX sessions_by_expiry ON sessions (expires, realm);

CREATE TABLE links (
	realm     text COLLATE "C" NOT NULL,
	email_key text COLLATE "C" NOT NULL,
	secret    bytea NOT NULL,
	code      bytea NOT NULL,
	email     text NOT NULL,
	created   timestamptz NOT NULL,
	expires   timestamptz NOT NULL,
	guesses   integer NOT NULL,
	PRIMARY KEY (realm, email_key),
	CONSTRAINT links_secret UNIQUE (secret, realm)
);
CREATE INDEX links_by_expiry ON links (expires, realm);
COMMENT ON TABLE links IS 'Mailed links that wait, one for each address; secret and code are SHA-256 digests.';

CREATE TABLE flows (
	realm   text COLLATE "C" NOT NULL,
	state   bytea NOT NULL,
	expires timestamptz NOT NULL,
	flow    json NOT NULL,
	PRIMARY KEY (realm, state)
);
CREATE INDEX flows_by_expiry ON flows (expires, realm);
COMMENT ON TABLE flows IS 'Social logins under way; nobody asks for a part of one.';

CREATE TABLE revocations (
	realm  text COLLATE "C" NOT NULL,
	kind   text COLLATE "C" NOT NULL,
	id     text COLLATE "C" NOT NULL,
	number bigint NOT NULL,
	until  timestamptz,
	forget timestamptz NOT NULL,
	made   timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (realm, kind, id)
);
CREATE INDEX revocations_by_number ON revocations (realm, number);
CREATE INDEX revocations_by_expiry ON revocations (forget, realm);
COMMENT ON COLUMN revocations.made IS 'By the clock of this server, to measure how long nodes take to hear of it; decides nothing.';
COMMENT ON COLUMN revocations.until IS 'NULL: the revocation was lifted; the row stays until nobody can hold it any more.';

CREATE TABLE signing_keys (
	realm     text COLLATE "C" NOT NULL,
	position  integer NOT NULL,
	id        text COLLATE "C" NOT NULL,
	algorithm text NOT NULL,
	private   bytea NOT NULL,
	created   timestamptz NOT NULL,
	signs     timestamptz NOT NULL,
	expires   timestamptz,
	PRIMARY KEY (realm, position)
);
COMMENT ON COLUMN signing_keys.private IS 'SECRET: whoever reads it can make tokens.';

CREATE TABLE counters (
	realm       text COLLATE "C" NOT NULL,
	limit_name  text COLLATE "C" NOT NULL,
	party       text COLLATE "C" NOT NULL,
	window_ns   bigint NOT NULL,
	n           integer NOT NULL,
	reset       timestamptz NOT NULL,
	PRIMARY KEY (realm, limit_name, party, window_ns)
) WITH (fillfactor = 50);
CREATE INDEX counters_by_reset ON counters (reset, realm);
