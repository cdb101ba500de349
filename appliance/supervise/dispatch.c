/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that anybody may say to the supervisor: its roles, and who asks at the control socket. Who may say what was decided
 * by message.def before a handler sees it. And what follows from the death of a role for everybody else.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/supervise/answer.h"
#include "appliance/supervise/supervise.h"

/* ---- of roles ----------------------------------------------------------------------------------------------------- */

static void became_ready(struct supervisor *s, struct slot *sl)
{
	bool first = sl->state == SLOT_STARTING;

	sl->state = SLOT_RUNNING;
	sl->heard = mono_ns();
	if (first && sl->restarts > 0)
		role_event(s, sl->role, sl->index, ROLE_TOOK_OVER);
	if (first && sl->role == ROLE_ENFORCE)
		op_enforce_ready(s);
}

static bool on_ready(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	(void)m;
	became_ready(p->s, p->slot);
	return true;
}

static bool on_pong(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	watch_answered(p->slot, m->id);
	return true;
}

static bool on_answer(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	return collect_answer(p->s, p->slot, m);
}

static bool on_role_status(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	collect_status(p->s, p->slot, m);
	return true;
}

/* The same, or unasked what became of its token: of each process once. */
static bool on_mgmt_status(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	bool anew = m->body.mgmt_status.token == TOKEN_ANEW;
	struct event e = event_new(EVENT_MACHINE, clock_wall_ns());

	if (m->id != 0)
		return on_role_status(ctx, m);
	if (m->body.mgmt_status.token == TOKEN_KEPT || p->s->token_told == p->slot->pid)
		return false;
	p->s->token_told = p->slot->pid;
	say(p->s, anew ? M_TOKEN_ANEW : M_TOKEN_NONE);
	e.code = anew ? MACHINE_TOKEN_ANEW : MACHINE_TOKEN_NONE;
	event_send(&p->s->events, &e);
	return true;
}

static bool on_foretold(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	if (!collect_awaits_impact(p->s, p->slot, m->id))
		return true;
	if (!impact_told(p->s, m))
		return false;
	collect_foretold(p->s, p->slot, m);
	return true;
}

static bool on_table_ack(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	worker_acked(p->s, p->slot->index, m->body.table_ack.digest);
	op_tables(p->s);
	return true;
}

static bool on_hung(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	worker_hung(p->s, p->slot->index, &m->body.hung);
	return true;
}

static bool on_applied(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	op_applied(p->s, m);
	return true;
}

static bool on_compiled(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	op_compiled(p->s, m);
	return true;
}

/* Sessions that came to the end of their right; only the workers know their numbers. */
static bool on_cuts(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	cuts_hand_on(p->s, m->fds[0]);
	return true;
}

static bool on_unanswered(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	uninspected_told(p->s, &m->body.unanswered);
	unheard_logged(p->s, m->body.unanswered.logged);
	return true;
}

static bool on_heard(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	(void)m;
	unheard_heard(p->s);
	return true;
}

static bool on_certified(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	certificates_told(p->s, m->id, &m->body.certified);
	return true;
}

static bool on_drift(void *ctx, struct msg *m)
{
	static const enum message words[DRIFT_COUNT] = {
		[DRIFT_CHANGED] = M_DRIFT_CHANGED, [DRIFT_FOREIGN] = M_DRIFT_FOREIGN,
		[DRIFT_SYSCTL] = M_DRIFT_SETTINGS, [DRIFT_UNMENDED] = M_DRIFT_UNMENDED,
		[DRIFT_SHUT] = M_DRIFT_SHUT,	   [DRIFT_CLOCK] = M_DRIFT_CLOCK,
	};
	const struct msg_drift *d = &m->body.drift;
	const struct peer *p = ctx;

	if (d->what == DRIFT_FLUSHED)
		say(p->s, M_DRIFT_FLUSHED, d->gap_us / 1000ull, d->gap_us / 100ull % 10, d->back_us / 1000ull,
		    d->back_us / 100ull % 10, d->text);
	else if (words[d->what] != 0)
		say(p->s, words[d->what], d->text);
	return true;
}

static bool on_progress(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	const struct operation *op = &p->s->op;

	if (op->kind != OP_NONE && op->id == m->id)
		progress_tell(p->s, &op->asker, &m->body.progress);
	else
		collect_progress(p->s, p->slot, m);
	return true;
}

/* ---- of people and the web side ----------------------------------------------------------------------------------- */

static bool on_status(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	(void)m;
	collect_start(p->s, COLLECT_STATUS, p->asker);
	return true;
}

static bool on_effective(void *ctx, struct msg *m)
{
	struct peer *p = ctx;

	p->asker.tell = m->body.effective.tell != 0;
	collect_start(p->s, COLLECT_EFFECTIVE, p->asker);
	return true;
}

static bool on_flows(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	collect_pass(p->s, SLOT_ENFORCE, &m->body, p->asker);
	return true;
}

static bool on_verify(void *ctx, struct msg *m)
{
	struct peer *p = ctx;

	p->asker.tell = m->body.verify.tell != 0;
	collect_start(p->s, COLLECT_VERIFY, p->asker);
	return true;
}

/* Who asks for records is put to the question: the login at the machine, or the account that mgmt names. */
static void put_reader(uint8_t by[USER_BY], const struct peer *p)
{
	memset(by, 0, USER_BY);
	if (p->by != NULL)
		memcpy(by, p->by, strnlen(p->by, USER_BY - 1));
}

static bool on_events(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	struct msg_events *e = &m->body.events;

	e->web = p->asker.kind != ASKER_CLIENT;
	if (e->web == 0) {
		e->family = 0;
		put_reader(e->by, p);
	}
	collect_pass(p->s, SLOT_JOURNAL, &m->body, p->asker);
	return true;
}

static bool on_explain(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	put_reader(m->body.explain.by, p);
	collect_pass(p->s, SLOT_JOURNAL, &m->body, p->asker);
	return true;
}

/* Over the web, and at the machine for whoever is no root, it is in the name of the account and no other. */
static void put_person(uint8_t person[HOLD_PERSON], const struct peer *p)
{
	if (p->account == NULL)
		return;
	memset(person, 0, HOLD_PERSON);
	memcpy(person, p->account, strnlen(p->account, HOLD_PERSON - 1));
}

/* What is kept for a court somebody at the machine decides, or somebody whom `accounts` knows (on_records); the web side itself lists. */
static bool on_hold(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	if (p->asker.kind != ASKER_CLIENT && m->body.hold.order != HOLD_LIST)
		return false;
	m->body.hold.family = 0;
	put_reader(m->body.hold.by, p);
	if (m->body.hold.order != HOLD_LIST)
		put_person(m->body.hold.person, p);
	collect_pass(p->s, SLOT_JOURNAL, &m->body, p->asker);
	return true;
}

/* The web side lists; what somebody orders there comes by MSG_RECORDS. */
static bool on_devices(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	unsigned order = m->body.devices.order;

	if ((p->asker.kind != ASKER_CLIENT && order != DEVICES_LIST) ||
	    (order == DEVICES_TRY || order == DEVICES_TAKE) != (m->n_fds > 0))
		return false;
	m->body.devices.family = 0;
	put_reader(m->body.devices.by, p);
	if (order != DEVICES_LIST)
		put_person(m->body.devices.person, p);
	collect_pass_fd(p->s, SLOT_JOURNAL, &m->body, m->n_fds > 0 ? m->fds[0] : -1, p->asker);
	return true;
}

static bool on_copy(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	put_reader(m->body.copy.by, p);
	collect_pass(p->s, SLOT_JOURNAL, &m->body, p->asker);
	return true;
}

static bool on_preserve(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	put_reader(m->body.preserve.by, p);
	collect_pass(p->s, SLOT_JOURNAL, &m->body, p->asker);
	return true;
}

/* In whose name it may be, `accounts` judges; who is no root signs in his own. */
static bool on_review(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	const uint8_t *name = m->body.review.name;

	if (p->account != NULL && (strnlen((const char *)name, LOGIN_NAME) != strlen(p->account) ||
				   memcmp(name, p->account, strlen(p->account)) != 0)) {
		answer_json(p->s, p->asker, ANSWER_CANNOT,
			    json_pack("{s:o}", "error", json_sentence(M_LOGIN_NO_RIGHT)));
		return true;
	}
	m->body.review.family = 0;
	put_reader(m->body.review.by, p);
	collect_pass(p->s, SLOT_ACCOUNTS, &m->body, p->asker);
	return true;
}

/* What the journal is asked is what the asker asked. */
static bool to_journal(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	collect_pass(p->s, SLOT_JOURNAL, &m->body, p->asker);
	return true;
}

/* Who is who is for that role alone to say. What was typed goes through, and nothing of it stays in this process. */
static bool to_accounts(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	collect_pass(p->s, SLOT_ACCOUNTS, &m->body, p->asker);
	explicit_bzero(m, sizeof(*m));
	return true;
}

static bool on_ctl_user(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	struct msg_body order = { MSG_USER,
				  .user = { .order = m->body.ctl_user.order, .text = m->body.ctl_user.text } };

	if ((m->body.ctl_user.order == USER_LEAKED_LOAD) != (m->n_fds > 0))
		return false;
	memcpy(order.user.by, p->by, strnlen(p->by, USER_BY - 1));
	collect_pass_fd(p->s, SLOT_ACCOUNTS, &order, m->n_fds > 0 ? m->fds[0] : -1, p->asker);
	msg_close_fds(m);
	explicit_bzero(m, sizeof(*m));
	return true;
}

/* mgmt has asked accounts whether he may, as for all that it reads. */
static bool on_register(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	const struct msg_body order = { MSG_USER, .user = { .order = m->body.reg.tokens != 0 ? USER_TOKENS : USER_LIST,
							    .text = "{}" } };

	collect_pass(p->s, SLOT_ACCOUNTS, &order, p->asker);
	return true;
}

static bool on_history(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	(void)m;
	answer_json(p->s, p->asker, ANSWER_YES, json_history(p->s));
	return true;
}

static bool on_show(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	show_generation(p->s, p->asker, m->body.show.number);
	return true;
}

static bool on_ctl_apply(void *ctx, struct msg *m)
{
	struct peer *p = ctx;

	p->asker.tell = (m->body.ctl_apply.flags & APPLY_TELL) != 0;
	op_apply(p->s, p->asker, p->by, msg_take_fd(m, 0), m->n_fds > 1 ? m->fds[1] : -1, (struct op_ground){ 0 },
		 &m->body.ctl_apply);
	return true;
}

static bool on_draft(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	change_show(p->s, p->asker, m->body.draft.texts != 0);
	return true;
}

/* A session's secret may be in it, of which nothing stays in this process. */
static bool on_change(void *ctx, struct msg *m)
{
	struct peer *p = ctx;

	p->asker.tell = (m->body.change.flags & APPLY_TELL) != 0;
	change_ordered(p->s, p->asker, p->typist, m);
	explicit_bzero(m->body.change.secret, sizeof(m->body.change.secret));
	explicit_bzero(m->storage, sizeof(m->storage));
	return true;
}

static bool on_records(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	records_ordered(p->s, p->asker, &m->body.records);
	explicit_bzero(m->body.records.secret, sizeof(m->body.records.secret));
	explicit_bzero(m->storage, sizeof(m->storage));
	return true;
}

/* To which key, the site has said; another one root may name, who reads it all anyway. */
static bool on_backup(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	if (m->n_fds > 0 && p->account != NULL)
		answer_json(p->s, p->asker, ANSWER_CANNOT,
			    json_pack("{s:o}", "error", json_sentence(M_BACKUP_TO_ROOT, BACKUP_CERTIFICATE)));
	else
		backup_begin(p->s, p->asker, p->by, m->n_fds > 0 ? m->fds[0] : -1);
	return true;
}

static bool on_sealed(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	backup_sealed(p->s, m);
	return true;
}

static bool on_ctl_record(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	struct event e = event_new(EVENT_MACHINE, clock_wall_ns());

	/* What the clock is trusted for is for this process to say. */
	if (m->body.ctl_record.what == MACHINE_NOTHING || m->body.ctl_record.what >= MACHINE_CLOCK_WAITS)
		return false;
	e.code = m->body.ctl_record.what;
	event_say(&e, EVENT_BY, p->by);
	event_say(&e, EVENT_OBJECT, m->body.ctl_record.text);
	event_send(&p->s->events, &e);
	answer_json(p->s, p->asker, ANSWER_YES, json_object());
	return true;
}

static bool on_ctl_clock(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	(void)m;
	clock_confirm(p->s, p->asker, p->by);
	return true;
}

void asker_gone(struct supervisor *s, const struct asker *a)
{
	backup_stop(s, a);
	change_stop(s, a);
	collect_stop(s, a);
	op_stop(s, a);
}

static bool on_stop(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	(void)m;
	asker_gone(p->s, &p->asker);
	return true;
}

static bool on_ctl_confirm(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	op_confirm(p->s, p->asker, p->by, m->body.ctl_confirm.to, (struct op_ground){ 0 });
	return true;
}

static bool on_ctl_rollback(void *ctx, struct msg *m)
{
	struct peer *p = ctx;

	p->asker.tell = (m->body.ctl_rollback.flags & APPLY_TELL) != 0;
	op_rollback(p->s, p->asker, p->by, m->n_fds > 0 ? m->fds[0] : -1, (struct op_ground){ 0 },
		    &m->body.ctl_rollback);
	return true;
}

static bool on_ctl_release(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	op_release(p->s, p->asker, p->by, &m->body.ctl_release);
	return true;
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_READY] = on_ready,
	[MSG_PONG] = on_pong,
	[MSG_ANSWER] = on_answer,
	[MSG_DPI_STATUS] = on_role_status,
	[MSG_GATE_STATUS] = on_role_status,
	[MSG_TAP_STATUS] = on_role_status,
	[MSG_MGMT_STATUS] = on_mgmt_status,
	[MSG_JOURNAL_STATUS] = on_role_status,
	[MSG_ACCOUNTS_STATUS] = on_role_status,
	[MSG_FORETOLD] = on_foretold,
	[MSG_TABLE_ACK] = on_table_ack,
	[MSG_HUNG] = on_hung,
	[MSG_APPLIED] = on_applied,
	[MSG_COMPILED] = on_compiled,
	[MSG_SEALED] = on_sealed,
	[MSG_DRIFT] = on_drift,
	[MSG_CUTS] = on_cuts,
	[MSG_UNANSWERED] = on_unanswered,
	[MSG_HEARD] = on_heard,
	[MSG_CERTIFIED] = on_certified,
	[MSG_PROGRESS] = on_progress,

	[MSG_STATUS] = on_status,
	[MSG_EFFECTIVE] = on_effective,
	[MSG_FLOWS] = on_flows,
	[MSG_VERIFY] = on_verify,
	[MSG_EVENTS] = on_events,
	[MSG_EXPLAIN] = on_explain,
	[MSG_HOLD] = on_hold,
	[MSG_DEVICES] = on_devices,
	[MSG_COPY] = on_copy,
	[MSG_PRESERVE] = on_preserve,
	[MSG_REVIEW] = on_review,
	[MSG_CHECKPOINT] = to_journal,
	[MSG_LOGIN] = to_accounts,
	[MSG_CHALLENGE] = to_accounts,
	[MSG_KEY] = to_accounts,
	[MSG_MANAGE] = to_accounts,
	[MSG_PASSPHRASE] = to_accounts,
	[MSG_JUDGE] = to_accounts,
	[MSG_LOGOUT] = to_accounts,
	[MSG_CTL_USER] = on_ctl_user,
	[MSG_REGISTER] = on_register,
	[MSG_HISTORY] = on_history,
	[MSG_SHOW] = on_show,
	[MSG_STOP] = on_stop,
	[MSG_DRAFT] = on_draft,
	[MSG_CHANGE] = on_change,
	[MSG_RECORDS] = on_records,
	[MSG_CTL_APPLY] = on_ctl_apply,
	[MSG_BACKUP] = on_backup,
	[MSG_CTL_RECORD] = on_ctl_record,
	[MSG_CTL_CLOCK] = on_ctl_clock,
	[MSG_CTL_CONFIRM] = on_ctl_confirm,
	[MSG_CTL_ROLLBACK] = on_ctl_rollback,
	[MSG_CTL_RELEASE] = on_ctl_release,
};

bool peer_said(struct peer *p, struct msg *m)
{
	p->asker.id = m->id;
	p->asker.tell = false;
	return msg_dispatch(handlers, p, m);
}

/* ---- what becomes of a role ----------------------------------------------------------------------------------------- */

uint64_t role_heard_from(const struct supervisor *s, const struct slot *sl)
{
	return sl == &s->slots[SLOT_MGMT] ? collect_hears(s) : 0;
}

void role_readable(struct supervisor *s, struct slot *sl)
{
	struct peer p = { .s = s, .slot = sl, .asker.kind = ASKER_MGMT, .by = role_name(sl->role) };
	char title[SLOT_TITLE];

	/* A bounded number a turn, so that no role keeps the loop to itself. */
	for (unsigned i = 0; i < 16 && slot_alive(sl) && mono_ns() >= role_heard_from(s, sl); i++) {
		struct msg m;
		int r = msg_recv(sl->chan, sl->role, ROLE_SUPERVISOR, &m);

		if (r == -EAGAIN)
			return;
		if (r == 1 && peer_said(&p, &m))
			continue;
		if (r == 1)
			r = -EBADMSG;
		if (r == -EBADMSG || r == -EPROTO)
			say(s, M_ROLE_BROKE_RULES, slot_title(sl, title));
		/* Closed, broken or dishonest: its process ends, and a successor is started when it was reaped. The channel is
		 * shut so that it cannot wake the loop again before that. */
		role_kill(s, sl);
		shutdown(sl->chan, SHUT_RDWR);
		return;
	}
}

/* Its successor gives its questions the same numbers, and nobody waits for these any more. */
static void web_gone(struct supervisor *s)
{
	change_forget(s);
	records_forget(s);
	answer_forget_web(s);
}

void role_exited(struct supervisor *s, struct slot *sl)
{
	siginfo_t how;

	if (!role_reap(s, sl, &how))
		return;
	collect_gone(s, sl);
	if (sl->role == ROLE_MGMT)
		web_gone(s);
	if (s->ending)
		return;
	if (sl->role == ROLE_DPI) {
		worker_died(s, sl->index);
		op_tables(s);
	} else if (sl->role == ROLE_GATE) {
		gate_died(s, sl->index);
	} else if (sl->role == ROLE_ENFORCE) {
		op_enforce_died(s);
	} else if (sl->role == ROLE_COMPILE) {
		/* Whose it was, it says itself; the other may have it now. */
		backup_sealer_died(s);
		op_compile_died(s, &how);
	}
	roles_start_due(s, mono_ns());
}
