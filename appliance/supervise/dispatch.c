/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes all messages of roles. People's messages come through control. message.def says which role
 * may send which message; this is checked before a handler is called. Also handles what the death
 * of a role means for the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/supervise/supervise.h"

/* The sender of a message. */
struct peer {
	struct supervisor *s;
	struct slot *slot;
};

/* ---- messages of roles ----------------------------------------------------------------------- */

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

/* The answer of a role to a question of control: passed on. */
static bool back(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	return relay_back(p->s, p->slot, m);
}

static bool on_answer(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	if (p->slot->role == ROLE_COMPILE)
		errand_answered(p->s, m);
	else if (relay_back(p->s, p->slot, m))
		return true;
	else if (p->slot->role == ROLE_ACCOUNTS)
		orders_judged(p->s, m);
	else if (p->slot->role != ROLE_ENFORCE)
		return false;
	else if (!door_done(p->s, m))
		isolation_done(p->s, m);
	return true;
}

/* Mgmt reports once in each process whether it got its token. */
static bool on_mgmt_status(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	bool anew = m->body.mgmt_status.token == TOKEN_ANEW;

	if (m->id != 0 || m->body.mgmt_status.token == TOKEN_KEPT || p->s->token_told == p->slot->pid)
		return false;
	p->s->token_told = p->slot->pid;
	say(p->s, anew ? M_TOKEN_ANEW : M_TOKEN_NONE);
	machine_event(p->s, anew ? MACHINE_TOKEN_ANEW : MACHINE_TOKEN_NONE, (struct said){ 0 });
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

/* Sessions whose permit has ended, from enforce. Only workers know the sequence numbers that end
 * them. */
static bool on_cuts(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	cuts_hand_on(p->s, m->fds[0]);
	return true;
}

static bool on_unanswered(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	counting_told(p->s, &m->body.unanswered);
	return true;
}

static bool on_used(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	used_told(p->s, m);
	return true;
}

static bool on_heard(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	(void)m;
	counting_heard(p->s);
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

	backstop_answered(p->s, d);
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
		(void)relay_back(p->s, p->slot, m);
	return true;
}

/* ---- messages of control --------------------------------------------------------------------- */

static bool of_control(const struct peer *p)
{
	return p->slot->role == ROLE_CONTROL;
}

static bool relay(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	return of_control(p) && relay_out(p->s, m);
}

/* Passes on a message with what a person typed; no copy stays in this process. */
static bool people(void *ctx, struct msg *m)
{
	/* Control may only pass on orders that change no account. Other orders come from root, and
	 * the supervisor reads them itself from root's connection (orders.c). */
	bool ok = (m->body.type != MSG_USER || user_order_looks((enum user_order)m->body.user.order)) && relay(ctx, m);

	/* Cleared from the beginning of the message, because a compiler with sanitizers takes
	 * `type` as the whole size of the object behind `body`. */
	explicit_bzero((uint8_t *)m + offsetof(struct msg, body), sizeof(m->body));
	explicit_bzero(m->storage, sizeof(m->storage));
	return ok;
}

static bool on_box(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	answer_json(p->s, (struct asker){ .id = m->id }, ANSWER_YES, json_box(p->s, (enum box_what)m->body.box.what));
	return true;
}

/* Sends control the sealed bytes of a stored generation. */
static bool on_show(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	struct asker a = { .id = m->id };
	uint8_t *sealed = NULL;
	struct err e = { 0 };
	size_t n = 0;
	int fd = -1;

	if (!of_control(p))
		return false;
	if (generation_load(&p->s->store, m->body.show.number, &sealed, &n, &e) == 0)
		fd = memfd_sealed("sekisho-generation", sealed, n);
	answer_fd(p->s, a, fd >= 0 ? ANSWER_YES : ANSWER_CANNOT, fd);
	free(sealed);
	if (fd >= 0)
		close(fd);
	return true;
}

/* Whether the file belongs to root and is no link: whoever could write it could read every later
 * backup. */
static bool is_roots(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && st.st_size <= (off_t)BACKUP_CERTIFICATE_MOST;
}

static bool on_file(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	bool backup = m->body.file.which == BOX_FILE_BACKUP;
	int fd = open(backup ? BACKUP_CERTIFICATE : LOG_CERTIFICATE,
		      O_RDONLY | O_CLOEXEC | O_NONBLOCK | (backup ? O_NOFOLLOW : 0)),
	    code = errno;
	enum answer_status status = fd >= 0 && (!backup || is_roots(fd)) ? ANSWER_YES
				    : fd < 0 && code == ENOENT		 ? ANSWER_NO
									 : ANSWER_INVALID;

	answer_fd(p->s, (struct asker){ .id = m->id }, status, status == ANSWER_YES ? fd : -1);
	if (fd >= 0)
		close(fd);
	return true;
}

static bool on_hand(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	orders_handed(p->s, m);
	return true;
}

/* Takes an order over the web. The message may have the secret of a session, so no copy stays in
 * this process. */
static bool on_change(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;
	bool ok = of_control(p) && orders_web(p->s, m);

	explicit_bzero(m->body.change.secret, sizeof(m->body.change.secret));
	explicit_bzero(m->storage, sizeof(m->storage));
	return ok;
}

static bool on_grounded(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	orders_grounded(p->s, m);
	return true;
}

static bool on_sessions(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	op_sessions(p->s, m);
	return true;
}

static bool on_weighed(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	op_weighed(p->s, m);
	return true;
}

static bool on_seal(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	if (!of_control(p))
		return false;
	errand_sealing(p->s, m);
	return true;
}

static bool on_ask(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	if (!of_control(p) || relayed_slot(m->id) != SLOT_COMPILE)
		return false;
	errand_question(p->s, m);
	return true;
}

static bool on_sealed(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	errand_answered(p->s, m);
	return true;
}

/* An asker has left. The id may belong to a question to a role, to an order, or to a question to
 * the compiler. */
static bool on_stop(void *ctx, struct msg *m)
{
	const struct peer *p = ctx;

	if (!of_control(p) || (m->id & RELAYED) == 0)
		return false;
	if (relayed_slot(m->id) < SLOTS && relayed_slot(m->id) != SLOT_COMPILE)
		return relay_out(p->s, m);
	errand_stop(p->s, m->id);
	orders_stop(p->s, m->id);
	return true;
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_READY] = on_ready,
	[MSG_PONG] = on_pong,
	[MSG_ANSWER] = on_answer,
	[MSG_DPI_STATUS] = back,
	[MSG_GATE_STATUS] = back,
	[MSG_TAP_STATUS] = back,
	[MSG_JOURNAL_STATUS] = back,
	[MSG_ACCOUNTS_STATUS] = back,
	[MSG_MGMT_STATUS] = on_mgmt_status,
	[MSG_FORETOLD] = back,
	[MSG_TABLE_ACK] = on_table_ack,
	[MSG_HUNG] = on_hung,
	[MSG_APPLIED] = on_applied,
	[MSG_COMPILED] = on_compiled,
	[MSG_SEALED] = on_sealed,
	[MSG_DRIFT] = on_drift,
	[MSG_CUTS] = on_cuts,
	[MSG_UNANSWERED] = on_unanswered,
	[MSG_HEARD] = on_heard,
	[MSG_USED] = on_used,
	[MSG_PROGRESS] = on_progress,

	[MSG_STATUS] = relay,
	[MSG_EFFECTIVE] = relay,
	[MSG_FLOWS] = relay,
	[MSG_VERIFY] = relay,
	[MSG_EVENTS] = relay,
	[MSG_EXPLAIN] = relay,
	[MSG_HOLD] = relay,
	[MSG_DEVICES] = relay,
	[MSG_ATTACKS] = relay,
	[MSG_TRENDS] = relay,
	[MSG_CHAIN] = relay,
	[MSG_COPY] = relay,
	[MSG_PRESERVE] = relay,
	[MSG_REVIEW] = relay,
	[MSG_CHECKPOINT] = relay,
	[MSG_LOGIN] = people,
	[MSG_CHALLENGE] = people,
	[MSG_KEY] = people,
	[MSG_MANAGE] = people,
	[MSG_PASSPHRASE] = people,
	[MSG_JUDGE] = people,
	[MSG_LOGOUT] = people,
	[MSG_USER] = people,
	[MSG_AT_MACHINE] = people,
	[MSG_BOX] = on_box,
	[MSG_SHOW] = on_show,
	[MSG_FILE] = on_file,
	[MSG_HAND] = on_hand,
	[MSG_CHANGE] = on_change,
	[MSG_GROUNDED] = on_grounded,
	[MSG_SESSIONS] = on_sessions,
	[MSG_WEIGHED] = on_weighed,
	[MSG_SEAL] = on_seal,
	[MSG_ASK] = on_ask,
	[MSG_STOP] = on_stop,
};

/* ---- life and death of a role ---------------------------------------------------------------- */

void role_readable(struct supervisor *s, struct slot *sl)
{
	struct peer p = { s, sl };
	char title[SLOT_TITLE];

	/* At most 16 messages a turn, so that no role keeps the loop busy. */
	for (unsigned i = 0; i < 16 && slot_alive(sl); i++) {
		struct msg m;
		int r = msg_recv(sl->chan, sl->role, ROLE_SUPERVISOR, &m);

		if (r == -EAGAIN)
			return;
		if (r == 1 && s->ending && m.body.type != MSG_USED) {
			/* while the daemon ends, no message begins anything new */
			msg_close_fds(&m);
			continue;
		}
		if (r == 1 && msg_dispatch(handlers, &p, &m))
			continue;
		if (r == 1)
			r = -EBADMSG;
		if (r == -EBADMSG || r == -EPROTO) {
			say(s, M_ROLE_BROKE_RULES, slot_title(sl, title));
			if (sl->role == ROLE_DPI)
				s->pairs[sl->index].distrusted = true;
		}
		/*
		 * The channel is closed, or had an invalid message: the process is killed, and its
		 * successor starts after it was reaped. The channel is shut down, so that it does
		 * not wake the loop until then.
		 */
		role_kill(s, sl);
		shutdown(sl->chan, SHUT_RDWR);
		return;
	}
}

void role_exited(struct supervisor *s, struct slot *sl)
{
	siginfo_t how;

	if (!role_reap(s, sl, &how))
		return;
	if (s->ending)
		return;
	/* questions to the compiler are errands: errands_died handles them */
	if (sl->role != ROLE_COMPILE)
		relay_gone(s, sl);
	orders_gone(s, sl);
	if (sl->role == ROLE_DPI) {
		once_died(s, sl->index, &how);
		worker_died(s, sl->index);
		op_tables(s);
	} else if (sl->role == ROLE_GATE) {
		gate_died(s, sl->index);
	} else if (sl->role == ROLE_ENFORCE) {
		op_enforce_died(s);
	} else if (sl->role == ROLE_COMPILE) {
		/* errands_died() knows whose compiler has ended; the slot may be another's by
		 * now. */
		errands_died(s);
		op_compile_died(s, &how);
	}
	roles_start_due(s, mono_ns());
}
