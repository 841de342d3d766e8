-- Made by tools/reference.py from the migrations. Do not edit.
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE users (
	id INTEGER NOT NULL, 
	version BIGINT NOT NULL, 
	bot_id BIGINT, 
	bots TEXT NOT NULL, 
	has_started BOOLEAN NOT NULL, 
	consented_at DOUBLE, 
	age INTEGER, 
	age_given_at DOUBLE NOT NULL, 
	too_young_at DOUBLE, 
	gender TEXT, 
	language TEXT NOT NULL, 
	state TEXT NOT NULL, 
	pool TEXT, 
	searching_since DOUBLE, 
	ticket TEXT, 
	chat TEXT, 
	partner BIGINT, 
	chatting_since DOUBLE, 
	last_chat TEXT, 
	last_partner BIGINT, 
	last_closed_at DOUBLE, 
	last_reason TEXT, 
	last_left BOOLEAN, 
	last_active_date DOUBLE NOT NULL, 
	created_at DOUBLE NOT NULL, 
	vip_gender TEXT, 
	languages TEXT DEFAULT '[]' NOT NULL, interests TEXT DEFAULT '[]' NOT NULL, country TEXT, vip_age_min INTEGER, vip_age_max INTEGER, vip_until DOUBLE DEFAULT '0' NOT NULL, karma DOUBLE DEFAULT '0' NOT NULL, karma_at DOUBLE DEFAULT '0' NOT NULL, details TEXT DEFAULT '{}' NOT NULL, age_mended_at DOUBLE, copy_asked_at DOUBLE, erase_at DOUBLE, support_code TEXT, support_until DOUBLE, barred_until DOUBLE, muted TEXT, 
	CONSTRAINT pk_users PRIMARY KEY (id)
);

CREATE INDEX ix_users_created_at ON users (created_at);

CREATE INDEX ix_users_occupied ON users (id) WHERE state != 'idle';

CREATE INDEX ix_users_searching ON users (pool, searching_since) WHERE state = 'searching';

CREATE TABLE chats (
	id TEXT NOT NULL, 
	user1 BIGINT NOT NULL, 
	user2 BIGINT NOT NULL, 
	bot1 BIGINT NOT NULL, 
	bot2 BIGINT NOT NULL, 
	active BOOLEAN NOT NULL, 
	opened_at DOUBLE NOT NULL, 
	closed_at DOUBLE, 
	closed_by BIGINT, 
	reason TEXT, told1_bot BIGINT, told1_message BIGINT, told2_bot BIGINT, told2_message BIGINT, rating1 TEXT, rating2 TEXT, 
	CONSTRAINT pk_chats PRIMARY KEY (id)
);

CREATE INDEX ix_chats_user1 ON chats (user1, active, opened_at);

CREATE INDEX ix_chats_user2 ON chats (user2, active, opened_at);

CREATE INDEX ix_chats_opened_at ON chats (opened_at);

CREATE INDEX ix_chats_open ON chats (opened_at) WHERE active;

CREATE TABLE journal_positions (
	generation TEXT NOT NULL, 
	applied BIGINT NOT NULL, touched_at DOUBLE, 
	CONSTRAINT pk_journal_positions PRIMARY KEY (generation)
);

CREATE TABLE blocks (
	user_id BIGINT NOT NULL, 
	blocked_id BIGINT NOT NULL, 
	blocked_at DOUBLE NOT NULL, 
	lifted_at DOUBLE, 
	CONSTRAINT pk_blocks PRIMARY KEY (user_id, blocked_id)
);

CREATE INDEX ix_blocks_blocked_id ON blocks (blocked_id, blocked_at);

CREATE TABLE complaints (
	chat_id TEXT NOT NULL, 
	user_id BIGINT NOT NULL, 
	accused_id BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	filed_at DOUBLE NOT NULL, words BLOB, cost DOUBLE DEFAULT '0' NOT NULL, retaliates BOOLEAN DEFAULT 0 NOT NULL, case_number BIGINT, verdict TEXT, decided_at DOUBLE, 
	CONSTRAINT pk_complaints PRIMARY KEY (chat_id, user_id)
);

CREATE INDEX ix_complaints_accused_id ON complaints (accused_id, filed_at);

CREATE INDEX ix_users_vip_until ON users (vip_until) WHERE vip_until > 0;

CREATE TABLE staff (
	number INTEGER NOT NULL, 
	user_id BIGINT NOT NULL, 
	role TEXT NOT NULL, 
	name TEXT NOT NULL, 
	language TEXT NOT NULL, 
	alerts BOOLEAN DEFAULT 0 NOT NULL, 
	joined_at DOUBLE NOT NULL, 
	revoked_at DOUBLE, 
	CONSTRAINT pk_staff PRIMARY KEY (number)
);

CREATE UNIQUE INDEX ix_staff_user_id ON staff (user_id) WHERE revoked_at IS NULL;

CREATE TABLE staff_invites (
	digest TEXT NOT NULL, 
	role TEXT NOT NULL, 
	name TEXT NOT NULL, 
	made_by BIGINT NOT NULL, 
	made_at DOUBLE NOT NULL, 
	expires_at DOUBLE NOT NULL, 
	used_by BIGINT, 
	used_at DOUBLE, 
	CONSTRAINT pk_staff_invites PRIMARY KEY (digest)
);

CREATE TABLE staff_answers (
	bot_id BIGINT NOT NULL, 
	update_id BIGINT NOT NULL, 
	answer TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	CONSTRAINT pk_staff_answers PRIMARY KEY (bot_id, update_id)
);

CREATE TABLE audit (
	number INTEGER NOT NULL, 
	at DOUBLE NOT NULL, 
	actor BIGINT, 
	action TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	details TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY (number)
);

CREATE TRIGGER audit_append_only_update BEFORE update ON audit
    BEGIN SELECT RAISE(ABORT, 'rows of the audit are never changed or deleted'); END;

CREATE TRIGGER audit_append_only_delete BEFORE delete ON audit
    BEGIN SELECT RAISE(ABORT, 'rows of the audit are never changed or deleted'); END;

CREATE INDEX ix_users_copy_asked_at ON users (copy_asked_at) WHERE copy_asked_at IS NOT NULL;

CREATE INDEX ix_complaints_user_id ON complaints (user_id, filed_at);

CREATE INDEX ix_users_erase_at ON users (erase_at) WHERE erase_at IS NOT NULL;

CREATE TABLE past_chats (
	user1 BIGINT NOT NULL, 
	user2 BIGINT NOT NULL, 
	opened_min INTEGER NOT NULL, 
	lasted_s SMALLINT NOT NULL, 
	outcome SMALLINT NOT NULL
);

CREATE INDEX ix_past_chats_user1 ON past_chats (user1);

CREATE INDEX ix_past_chats_user2 ON past_chats (user2);

CREATE INDEX ix_past_chats_opened_min ON past_chats (opened_min);

CREATE TABLE daily_figures (
	day INTEGER NOT NULL, 
	chats BIGINT NOT NULL, 
	chatted_s BIGINT NOT NULL, 
	rated_good BIGINT NOT NULL, 
	rated_bad BIGINT NOT NULL, 
	complaints BIGINT NOT NULL, 
	blocks BIGINT NOT NULL, 
	people BIGINT NOT NULL, 
	CONSTRAINT pk_daily_figures PRIMARY KEY (day)
);

CREATE TABLE sanctions (
	id TEXT NOT NULL, 
	user_id BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	since DOUBLE NOT NULL, 
	until DOUBLE, 
	by_staff BIGINT, 
	rule TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	appeal TEXT NOT NULL, 
	appealed_at DOUBLE, 
	lifted_at DOUBLE, 
	CONSTRAINT pk_sanctions PRIMARY KEY (id)
);

CREATE TABLE staff_orders (
	number INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	made_at DOUBLE NOT NULL, 
	done_at DOUBLE, 
	CONSTRAINT pk_staff_orders PRIMARY KEY (number)
);

CREATE INDEX ix_staff_orders_open ON staff_orders (number) WHERE done_at IS NULL;

CREATE INDEX ix_sanctions_user_id ON sanctions (user_id, since);

CREATE INDEX ix_sanctions_since ON sanctions (since);

CREATE INDEX ix_users_bot_audience ON users (bot_id, has_started, gender, vip_gender, last_active_date);

CREATE INDEX ix_users_audience ON users (has_started, last_active_date);

CREATE INDEX ix_users_support_code ON users (support_code) WHERE support_code IS NOT NULL;

CREATE TABLE drains (
	bot_id BIGINT NOT NULL, 
	sister_id BIGINT NOT NULL, 
	sister_username TEXT NOT NULL, 
	since DOUBLE NOT NULL, 
	CONSTRAINT pk_drains PRIMARY KEY (bot_id)
);

CREATE TABLE evidence (
	chat_id TEXT NOT NULL, 
	user_id BIGINT NOT NULL, 
	place SMALLINT NOT NULL, 
	accused_id BIGINT NOT NULL, 
	sealed BLOB NOT NULL, 
	digest TEXT NOT NULL, 
	chosen_at DOUBLE NOT NULL, 
	erase_at DOUBLE, 
	held BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_evidence PRIMARY KEY (chat_id, user_id, place)
);

CREATE TABLE cases (
	number INTEGER NOT NULL, 
	about TEXT NOT NULL, 
	accused_id BIGINT NOT NULL, 
	lane SMALLINT NOT NULL, 
	state TEXT NOT NULL, 
	opened_at DOUBLE NOT NULL, 
	version INTEGER NOT NULL, 
	salt TEXT NOT NULL, 
	claimed_by BIGINT, 
	claimed_until DOUBLE, 
	proposal TEXT, 
	measure TEXT, 
	sanction TEXT, 
	reason TEXT, 
	outcome TEXT, 
	decided_by BIGINT, 
	decided_at DOUBLE, 
	passed_by TEXT DEFAULT '[]' NOT NULL, measured TEXT, 
	CONSTRAINT pk_cases PRIMARY KEY (number)
);

CREATE TABLE muted_reporters (
	user_id INTEGER NOT NULL, 
	until DOUBLE NOT NULL, 
	CONSTRAINT pk_muted_reporters PRIMARY KEY (user_id)
);

CREATE INDEX ix_cases_open ON cases (lane, opened_at) WHERE decided_at IS NULL;

CREATE INDEX ix_cases_accused_id ON cases (accused_id);

CREATE INDEX ix_cases_decided_at ON cases (decided_at);

CREATE INDEX ix_evidence_accused_id ON evidence (accused_id);

CREATE INDEX ix_evidence_user_id ON evidence (user_id);

CREATE INDEX ix_evidence_erase_at ON evidence (erase_at) WHERE erase_at IS NOT NULL;

CREATE INDEX ix_complaints_new ON complaints (filed_at) WHERE case_number IS NULL;

CREATE INDEX ix_complaints_case ON complaints (case_number) WHERE case_number IS NOT NULL;

CREATE INDEX ix_sanctions_appealed ON sanctions (appealed_at) WHERE appeal = 'open';

CREATE TABLE panel_logins (
	name TEXT NOT NULL, 
	browser TEXT NOT NULL, 
	made_at DOUBLE NOT NULL, 
	expires_at DOUBLE NOT NULL, 
	link TEXT NOT NULL, 
	member BIGINT, 
	confirmed_at DOUBLE, 
	used_at DOUBLE, 
	CONSTRAINT pk_panel_logins PRIMARY KEY (name)
);

CREATE TABLE panel_sessions (
	number INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	former TEXT NOT NULL, 
	rotated_at DOUBLE NOT NULL, 
	member BIGINT NOT NULL, 
	made_at DOUBLE NOT NULL, 
	proved_at DOUBLE NOT NULL, 
	seen_at DOUBLE NOT NULL, 
	ends_at DOUBLE NOT NULL, 
	agent TEXT NOT NULL, 
	ended_at DOUBLE, passkey_at DOUBLE, 
	CONSTRAINT pk_panel_sessions PRIMARY KEY (number)
);

CREATE TABLE panel_limits (
	name TEXT NOT NULL, 
	began_at DOUBLE NOT NULL, 
	count BIGINT NOT NULL, 
	CONSTRAINT pk_panel_limits PRIMARY KEY (name)
);

CREATE TABLE panel_figures (
	kind TEXT NOT NULL, 
	number BIGINT NOT NULL, 
	body TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	CONSTRAINT pk_panel_figures PRIMARY KEY (kind, number)
);

CREATE TABLE faults (
	fingerprint TEXT NOT NULL, 
	event TEXT NOT NULL, 
	error TEXT NOT NULL, 
	frames TEXT NOT NULL, 
	first_at DOUBLE NOT NULL, 
	last_at DOUBLE NOT NULL, 
	count BIGINT NOT NULL, 
	version TEXT NOT NULL, 
	resolved_at DOUBLE, 
	CONSTRAINT pk_faults PRIMARY KEY (fingerprint)
);

CREATE INDEX ix_panel_sessions_digest ON panel_sessions (digest);

CREATE INDEX ix_panel_logins_link ON panel_logins (link);

CREATE TABLE orders (
	id TEXT NOT NULL, 
	user_id BIGINT NOT NULL, 
	bot_id BIGINT NOT NULL, 
	"plan" TEXT NOT NULL, 
	days INTEGER NOT NULL, 
	stars INTEGER NOT NULL, 
	renews BOOLEAN NOT NULL, 
	made_at DOUBLE NOT NULL, 
	expires_at DOUBLE NOT NULL, 
	checked_at DOUBLE, promo TEXT, gift_to BIGINT, 
	CONSTRAINT pk_orders PRIMARY KEY (id)
);

CREATE TABLE charges (
	bot_id BIGINT NOT NULL, 
	id TEXT NOT NULL, 
	user_id BIGINT NOT NULL, 
	code TEXT NOT NULL, 
	order_id TEXT NOT NULL, 
	"plan" TEXT NOT NULL, 
	stars INTEGER NOT NULL, 
	paid_at DOUBLE NOT NULL, 
	provider_id TEXT NOT NULL, 
	renews BOOLEAN NOT NULL, 
	first_charge TEXT NOT NULL, 
	found BOOLEAN NOT NULL, gift_to BIGINT, gift_grant TEXT, source TEXT, 
	CONSTRAINT pk_charges PRIMARY KEY (bot_id, id)
);

CREATE TABLE grants (
	user_id BIGINT NOT NULL, 
	code TEXT NOT NULL, 
	source TEXT NOT NULL, 
	since DOUBLE NOT NULL, 
	lasts_s DOUBLE NOT NULL, 
	until DOUBLE NOT NULL, 
	CONSTRAINT pk_grants PRIMARY KEY (user_id, code)
);

CREATE TABLE subscriptions (
	bot_id BIGINT NOT NULL, 
	first_charge TEXT NOT NULL, 
	first_provider TEXT NOT NULL, 
	user_id BIGINT NOT NULL, 
	order_id TEXT NOT NULL, 
	"plan" TEXT NOT NULL, 
	stars INTEGER NOT NULL, 
	paid_until DOUBLE NOT NULL, 
	state TEXT NOT NULL, 
	CONSTRAINT pk_subscriptions PRIMARY KEY (bot_id, first_charge)
);

CREATE TABLE refunds (
	bot_id BIGINT NOT NULL, 
	charge_id TEXT NOT NULL, 
	stars INTEGER NOT NULL, 
	refunded_by TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	CONSTRAINT pk_refunds PRIMARY KEY (bot_id, charge_id)
);

CREATE TABLE star_calls (
	bot_id BIGINT NOT NULL, 
	charge_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	user_id BIGINT NOT NULL, 
	provider_id TEXT NOT NULL, 
	owed_at DOUBLE NOT NULL, 
	done_at DOUBLE, 
	CONSTRAINT pk_star_calls PRIMARY KEY (bot_id, charge_id, kind)
);

CREATE TABLE star_rows (
	bot_id BIGINT NOT NULL, 
	id TEXT NOT NULL, 
	incoming BOOLEAN NOT NULL, 
	at DOUBLE NOT NULL, 
	stars BIGINT NOT NULL, 
	nanostars BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	what TEXT NOT NULL, 
	user_id BIGINT NOT NULL, 
	payload TEXT NOT NULL, 
	period_s INTEGER NOT NULL, 
	affiliate BIGINT NOT NULL, 
	affiliate_nano BIGINT NOT NULL, 
	seen_at DOUBLE NOT NULL, 
	matched_at DOUBLE, 
	CONSTRAINT pk_star_rows PRIMARY KEY (bot_id, id, incoming)
);

CREATE TABLE star_sweeps (
	bot_id BIGINT NOT NULL, 
	rows_seen BIGINT NOT NULL, 
	swept_at DOUBLE NOT NULL, 
	CONSTRAINT pk_star_sweeps PRIMARY KEY (bot_id)
);

CREATE INDEX ix_orders_user_id ON orders (user_id);

CREATE INDEX ix_orders_made_at ON orders (made_at);

CREATE INDEX ix_charges_user_id ON charges (user_id);

CREATE INDEX ix_charges_paid_at ON charges (paid_at);

CREATE INDEX ix_subscriptions_user_id ON subscriptions (user_id);

CREATE INDEX ix_star_rows_at ON star_rows (at);

CREATE INDEX ix_star_rows_user_id ON star_rows (user_id);

CREATE INDEX ix_star_calls_open ON star_calls (owed_at) WHERE done_at IS NULL;

CREATE INDEX ix_star_rows_unmatched ON star_rows (at) WHERE matched_at IS NULL;

CREATE TABLE broadcasts (
	number INTEGER NOT NULL, 
	is_open BOOLEAN NOT NULL, 
	category TEXT NOT NULL, 
	is_test BOOLEAN NOT NULL, 
	made_at DOUBLE NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_broadcasts PRIMARY KEY (number)
);

CREATE TABLE broadcast_targets (
	broadcast BIGINT NOT NULL, 
	person_id BIGINT NOT NULL, 
	bot_id BIGINT NOT NULL, 
	place INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	due_at DOUBLE DEFAULT '0' NOT NULL, 
	is_planned BOOLEAN DEFAULT 0 NOT NULL, 
	claim TEXT, 
	at DOUBLE, 
	message_id BIGINT, 
	arm TEXT, 
	language TEXT, 
	revision INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_broadcast_targets PRIMARY KEY (broadcast, person_id)
);

CREATE INDEX ix_broadcasts_open ON broadcasts (number) WHERE is_open;

CREATE INDEX ix_broadcast_targets_waiting ON broadcast_targets (broadcast, bot_id, place) WHERE state = 'waiting';

CREATE INDEX ix_broadcast_targets_sending ON broadcast_targets (broadcast) WHERE state = 'sending';

CREATE INDEX ix_broadcast_targets_person_id ON broadcast_targets (person_id, at);

CREATE TABLE approvals (
	number INTEGER NOT NULL, 
	person_id BIGINT, 
	expires_at DOUBLE NOT NULL, 
	decided_at DOUBLE, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_approvals PRIMARY KEY (number)
);

CREATE INDEX ix_approvals_open ON approvals (number) WHERE decided_at IS NULL;

CREATE INDEX ix_approvals_person_id ON approvals (person_id) WHERE person_id IS NOT NULL;

CREATE TABLE overrides (
	number INTEGER NOT NULL, 
	what TEXT NOT NULL, 
	name TEXT NOT NULL, 
	bot_id BIGINT NOT NULL, 
	language TEXT NOT NULL, 
	value TEXT, 
	"by" BIGINT NOT NULL, 
	at DOUBLE NOT NULL, 
	CONSTRAINT pk_overrides PRIMARY KEY (number)
);

CREATE INDEX ix_overrides_name ON overrides (name, number);

CREATE INDEX ix_charges_code ON charges (code);

CREATE TABLE funnel (
	day INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	bot_id BIGINT NOT NULL, 
	language TEXT NOT NULL, 
	step SMALLINT NOT NULL, 
	people BIGINT NOT NULL, 
	CONSTRAINT pk_funnel PRIMARY KEY (day, source, bot_id, language, step)
);

CREATE TABLE promo_codes (
	code TEXT NOT NULL, 
	days INTEGER NOT NULL, 
	percent INTEGER NOT NULL, 
	most_uses INTEGER NOT NULL, 
	starts_at DOUBLE NOT NULL, 
	ends_at DOUBLE NOT NULL, 
	new_buyers BOOLEAN NOT NULL, 
	made_at DOUBLE NOT NULL, 
	made_by INTEGER NOT NULL, 
	revoked_at DOUBLE, 
	uses INTEGER NOT NULL, 
	CONSTRAINT pk_promo_codes PRIMARY KEY (code)
);

CREATE TABLE promo_uses (
	code TEXT NOT NULL, 
	user_id BIGINT NOT NULL, 
	grant_code TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	CONSTRAINT pk_promo_uses PRIMARY KEY (code, user_id)
);

CREATE INDEX ix_promo_uses_user_id ON promo_uses (user_id);

CREATE TABLE tombstones (
	pseudonym TEXT NOT NULL, 
	until DOUBLE, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_tombstones PRIMARY KEY (pseudonym)
);

CREATE INDEX ix_tombstones_until ON tombstones (until);

CREATE INDEX ix_orders_gift_to ON orders (gift_to) WHERE gift_to IS NOT NULL;

CREATE INDEX ix_charges_gift_to ON charges (gift_to) WHERE gift_to IS NOT NULL;

CREATE TABLE payment_cases (
	code TEXT NOT NULL, 
	user_id BIGINT NOT NULL, 
	words BLOB, 
	opened_at DOUBLE NOT NULL, 
	answered_at DOUBLE, 
	answered_by INTEGER, 
	CONSTRAINT pk_payment_cases PRIMARY KEY (code)
);

CREATE INDEX ix_payment_cases_user_id ON payment_cases (user_id);

CREATE INDEX ix_payment_cases_open ON payment_cases (opened_at) WHERE answered_at IS NULL;

CREATE TABLE installation (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_installation PRIMARY KEY (name)
);

CREATE TABLE referral_links (
	token TEXT NOT NULL, 
	user_id BIGINT NOT NULL, 
	made_at DOUBLE NOT NULL, 
	CONSTRAINT pk_referral_links PRIMARY KEY (token)
);

CREATE TABLE referrals (
	user_id BIGINT NOT NULL, 
	token TEXT NOT NULL, 
	reached_at DOUBLE NOT NULL, 
	decided_at DOUBLE, 
	outcome TEXT, 
	grant_code TEXT, 
	friend_grant TEXT, 
	CONSTRAINT pk_referrals PRIMARY KEY (user_id)
);

CREATE INDEX ix_referral_links_user_id ON referral_links (user_id);

CREATE INDEX ix_referrals_token ON referrals (token);

CREATE INDEX ix_referrals_open ON referrals (reached_at) WHERE decided_at IS NULL;

CREATE INDEX ix_referrals_decided_at ON referrals (decided_at);

CREATE TABLE farm_accounts (
	case_number BIGINT NOT NULL, 
	place INTEGER NOT NULL, 
	user_id BIGINT NOT NULL, 
	is_recruit BOOLEAN NOT NULL, 
	CONSTRAINT pk_farm_accounts PRIMARY KEY (case_number, place)
);

CREATE INDEX ix_farm_accounts_user_id ON farm_accounts (user_id);

CREATE TABLE panel_passkeys (
	name TEXT NOT NULL, 
	member BIGINT NOT NULL, 
	"key" TEXT NOT NULL, 
	count BIGINT NOT NULL, 
	label TEXT NOT NULL, 
	made_at DOUBLE NOT NULL, 
	used_at DOUBLE, 
	CONSTRAINT pk_panel_passkeys PRIMARY KEY (name)
);

CREATE INDEX ix_panel_passkeys_member ON panel_passkeys (member);

CREATE INDEX ix_users_sample_64 ON users (has_started, bot_id) WHERE id % 8191 < 64;

CREATE INDEX ix_users_sample_256 ON users (has_started, bot_id) WHERE id % 8191 < 256;

CREATE INDEX ix_users_sample_1024 ON users (has_started, bot_id) WHERE id % 8191 < 1024;

CREATE INDEX ix_broadcast_targets_sample ON broadcast_targets (broadcast, place) WHERE place < 200000000;

INSERT INTO alembic_version (version_num) VALUES ('0028');
