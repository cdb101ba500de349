/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that people may ask of control, as clients of its sockets or over the web side, and
 * what the web side says about itself. message.def decides who may send what before a handler is
 * called.
 */
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/control/answers.h"
#include "appliance/control/backup.h"
#include "appliance/control/certificates.h"
#include "appliance/control/change.h"
#include "appliance/control/control.h"
#include "appliance/control/questions.h"
#include "appliance/control/records.h"
#include "appliance/control/show.h"
#include "appliance/control/tried.h"
#include "appliance/control/watch.h"
#include "appliance/wire/judged.h"

/* ---- messages of the web side about itself --------------------------------------------------- */

bool web_said(struct control *s, struct msg *m)
{
	if (m->body.type == MSG_MGMT_STATUS)
		collect_status(s, m);
	else if (m->body.type == MSG_CERTIFIED)
		certificates_told(s, m->id, &m->body.certified);
	else
		return false;
	msg_close_fds(m);
	return true;
}

/* ---- messages of people and the web side ----------------------------------------------------- */

static bool on_status(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	collect_start(p->s, COLLECT_STATUS, p->asker);
	return true;
}

static bool on_effective(void *ctx, struct msg *m)
{
	struct peer *p = ctx;

	if (m->body.effective.at != 0) {
		show_standing(p->s, p->asker, m->body.effective.at);
		return true;
	}
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

/* Adds the reader's name to a question for records: the login at the machine, or the account that
 * mgmt names. */
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

/* Lists of holds, devices and alarms; the supervisor takes the orders. Only a backup copies the
 * whole register, and mgmt makes none. */
static bool on_list(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	bool copies = m->body.type == MSG_DEVICES && m->body.devices.order != DEVICES_LIST;

	if (order_is_signed(&m->body) || (copies && p->asker.kind != ASKER_CLIENT) || m->n_fds > 0)
		return false;
	put_reader(m->body.type == MSG_HOLD	 ? m->body.hold.by
		   : m->body.type == MSG_DEVICES ? m->body.devices.by
						 : m->body.attacks.by,
		   p);
	collect_pass(p->s, SLOT_JOURNAL, &m->body, p->asker);
	return true;
}

static bool on_copy(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	put_reader(m->body.copy.by, p);
	collect_pass(p->s, SLOT_JOURNAL, &m->body, p->asker);
	return true;
}

/* Passes the question to the journal unchanged. */
static bool to_journal(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	collect_pass(p->s, SLOT_JOURNAL, &m->body, p->asker);
	return true;
}

/* Passes the question to accounts, because only this role can tell who somebody is. No copy of what
 * a person typed stays in this process. */
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

	memcpy(order.user.by, p->by, strnlen(p->by, USER_BY - 1));
	collect_pass(p->s, SLOT_ACCOUNTS, &order, p->asker);
	return true;
}

/* For mgmt nothing is checked here, because mgmt has asked accounts whether the person may read
 * this, as for everything that mgmt reads. */
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

	respond_json(p->s, p->asker, ANSWER_YES, json_history(p->s));
	return true;
}

static bool on_show(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	show_generation(p->s, p->asker, &m->body.show);
	return true;
}

/* The question is answered by a compiler process, which starts when the turn of the question
 * comes. */
static bool on_ask(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	show_asked(p->s, p->asker, &m->body);
	return true;
}

static bool on_draft(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	change_show(p->s, p->asker, m->body.draft.texts != 0);
	return true;
}

/* The message may hold the secret of a session; no copy stays in this process. */
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

	records_ordered(p->s, p->asker, &m->body);
	explicit_bzero(m->body.records.secret, sizeof(m->body.records.secret));
	explicit_bzero(m->storage, sizeof(m->storage));
	return true;
}

/* A backup is encrypted to the site's certificate. Only root may send another one (the descriptor),
 * because root can read everything anyway. */
static bool on_backup(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	if (m->n_fds > 0 && p->account != NULL)
		respond_json(p->s, p->asker, ANSWER_CANNOT,
			     json_pack("{s:o}", "error", json_sentence(M_BACKUP_TO_ROOT, BACKUP_CERTIFICATE)));
	else
		backup_begin(p->s, p->asker, p->by, m->n_fds > 0 ? m->fds[0] : -1);
	return true;
}

static bool on_ctl_record(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	struct event e = event_new(EVENT_MACHINE, clock_wall_ns());

	/* Events from MACHINE_CLOCK_WAITS on are recorded by the daemon alone (event.def). */
	if (m->body.ctl_record.what == MACHINE_NOTHING || m->body.ctl_record.what >= MACHINE_CLOCK_WAITS)
		return false;
	e.code = m->body.ctl_record.what;
	event_say(&e, EVENT_BY, p->by);
	event_say(&e, EVENT_OBJECT, m->body.ctl_record.text);
	event_send(&p->s->events, &e);
	if (e.code == MACHINE_BACKUP_TRIED)
		tried_recorded(p->s, m->body.ctl_record.text);
	if (e.code >= MACHINE_BACKUP_SCHEDULED && e.code <= MACHINE_BACKUP_NOT_CARRIED)
		carried_recorded(p->s, e.code, m->body.ctl_record.text);
	respond_json(p->s, p->asker, ANSWER_YES, json_object());
	return true;
}

void asker_gone(struct control *s, const struct asker *a)
{
	backup_stop(s, a);
	change_stop(s, a);
	collect_stop(s, a);
}

static bool on_stop(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	asker_gone(p->s, &p->asker);
	return true;
}

static msg_handler *const of_people[MSG_TYPE_COUNT] = {
	[MSG_STATUS] = on_status,
	[MSG_EFFECTIVE] = on_effective,
	[MSG_FLOWS] = on_flows,
	[MSG_VERIFY] = on_verify,
	[MSG_EVENTS] = on_events,
	[MSG_EXPLAIN] = on_explain,
	[MSG_HOLD] = on_list,
	[MSG_DEVICES] = on_list,
	[MSG_ATTACKS] = on_list,
	[MSG_COPY] = on_copy,
	[MSG_CHECKPOINT] = to_journal,
	[MSG_TRENDS] = to_journal,
	[MSG_CHAIN] = to_journal,
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
	[MSG_ASK] = on_ask,
	[MSG_STOP] = on_stop,
	[MSG_DRAFT] = on_draft,
	[MSG_CHANGE] = on_change,
	[MSG_RECORDS] = on_records,
	[MSG_BACKUP] = on_backup,
	[MSG_CTL_RECORD] = on_ctl_record,
};

bool peer_said(struct peer *p, struct msg *m)
{
	/* At the machine such an order is none of control's. */
	if (p->typist != NULL && order_is_boxs(&m->body)) {
		msg_close_fds(m);
		return false;
	}
	p->asker.id = m->id;
	p->asker.tell = false;
	return msg_dispatch(of_people, p, m);
}
