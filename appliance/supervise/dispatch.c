/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes all messages of roles. People's orders come by persons.h. message.def says which role
 * may send which message; this is checked before a handler is called. Also handles what the death
 * of a role means for the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/supervise/apply.h"
#include "appliance/supervise/apply_told.h"
#include "appliance/supervise/asker.h"
#include "appliance/supervise/backstop.h"
#include "appliance/supervise/counting.h"
#include "appliance/supervise/dispatch.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/once.h"
#include "appliance/supervise/op.h"
#include "appliance/supervise/operation.h"
#include "appliance/supervise/orders.h"
#include "appliance/supervise/papers.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/relay.h"
#include "appliance/supervise/roles.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/told.h"
#include "appliance/supervise/watch.h"
#include "appliance/supervise/workers.h"
#include "appliance/wire/judged.h"

/* ---- messages of roles ----------------------------------------------------------------------- */

static bool on_ready(struct supervisor *s, struct slot *sl, struct msg *m)
{
	bool first = sl->state == SLOT_STARTING;

	sl->state = SLOT_RUNNING;
	sl->heard = mono_ns();
	if (first && sl->restarts > 0)
		role_event(s, sl->role, sl->index, ROLE_TOOK_OVER);
	if (first && sl->role == ROLE_ENFORCE)
		op_enforce_ready(s);
	return true;
}

static bool on_answer(struct supervisor *s, struct slot *sl, struct msg *m)
{
	if (relay_back(s, sl, m))
		return true;
	else if (sl->role != ROLE_ENFORCE && sl->role != ROLE_ACCOUNTS && sl->role != ROLE_JOURNAL)
		return false;
	else
		(void)orders_judged(s, sl, m);
	return true;
}

/* Mgmt reports once in each process whether it got its token. */
static bool on_mgmt_status(struct supervisor *s, struct slot *sl, struct msg *m)
{
	bool anew = m->body.mgmt_status.token == TOKEN_ANEW;

	if (m->id != 0 || m->body.mgmt_status.token == TOKEN_KEPT || s->reported.token_told == sl->pid)
		return false;
	s->reported.token_told = sl->pid;
	supervisor_say(s, anew ? M_TOKEN_ANEW : M_TOKEN_NONE);
	machine_event(&s->ground, anew ? MACHINE_TOKEN_ANEW : MACHINE_TOKEN_NONE, (struct said){ 0 });
	return true;
}

static bool on_table_ack(struct supervisor *s, struct slot *sl, struct msg *m)
{
	worker_acked(&s->workforce, sl->index, m->body.table_ack.digest);
	op_tables(s);
	return true;
}

static void on_applied(struct supervisor *s, struct msg *m)
{
	op_applied(s, m);
	if (s->gens.loading.adopted)
		orders_again(s);
}

/* Sessions whose permit has ended, from enforce. Only workers know the sequence numbers that end
 * them. */
static void on_cuts(struct supervisor *s, struct msg *m)
{
	cuts_hand_on(s, m->fds[0]);
}

static void on_heard(struct supervisor *s, struct msg *m)
{
	(void)role_send(s, &s->slots[SLOT_CONTROL], 0, &m->body, NULL, 0);
}

/* A later enforce begins with nothing heard, so bits are only added. */
static void on_proven(struct supervisor *s, struct msg *m)
{
	s->gens.trial.proven |= m->body.proven.needs;
}

static void on_used(struct supervisor *s, struct msg *m)
{
	(void)paper_told(s, PAPER_USED, m);
}

/* Takes the list of doors that an order changes. Once the list is on the disk, enforce may go on.
 * If the list cannot be taken, enforce goes on with the former one, and the order gets no answer
 * from it. */
static void on_doors(struct supervisor *s, struct msg *m)
{
	bool taken = paper_told(s, PAPER_DOORS, m);

	journal_doors(s);
	if (m->id == 0)
		return;
	if (taken)
		orders_stored(s, m->id);
	paper_give(s, PAPER_DOORS, taken ? m->id : 0);
}

/* Takes the list of isolations, which the kernel has already. */
static void on_isolations(struct supervisor *s, struct msg *m)
{
	if (paper_told(s, PAPER_ISOLATIONS, m))
		orders_stored(s, m->id);
}

/* What enforce decides about the clock, and its record. */
static void on_clock(struct supervisor *s, struct msg *m)
{
	bool said = s->reported.clock.told != 0, trusted = s->reported.clock.wait == CLOCK_TRUSTED;

	if (m->n_fds > 0)
		(void)paper_told(s, PAPER_CLOCK, m);
	s->reported.clock = m->body.clock;
	if (!said && s->reported.clock.told != 0)
		supervisor_say(s, M_CLOCK_WAITS);
	if (trusted != (s->reported.clock.wait == CLOCK_TRUSTED))
		journal_retention(s);
}

static void on_drift(struct supervisor *s, struct msg *m)
{
	static const enum message words[DRIFT_COUNT] = {
		[DRIFT_CHANGED] = M_DRIFT_CHANGED, [DRIFT_FOREIGN] = M_DRIFT_FOREIGN,
		[DRIFT_SYSCTL] = M_DRIFT_SETTINGS, [DRIFT_UNMENDED] = M_DRIFT_UNMENDED,
		[DRIFT_SHUT] = M_DRIFT_SHUT,	   [DRIFT_CLOCK] = M_DRIFT_CLOCK,
	};
	const struct msg_drift *d = &m->body.drift;

	backstop_answered(&s->ground, d);
	if (d->what == DRIFT_FLUSHED)
		supervisor_say(s, M_DRIFT_FLUSHED, d->gap_us / 1000ull, d->gap_us / 100ull % 10, d->back_us / 1000ull,
			       d->back_us / 100ull % 10, d->text);
	else if (words[d->what] != 0)
		supervisor_say(s, words[d->what], d->text);
}

static bool on_progress(struct supervisor *s, struct slot *sl, struct msg *m)
{
	const struct operation *op = &s->op;

	if (op->kind != OP_NONE && op->id == m->id)
		progress_tell(s, &op->asker, &m->body.progress);
	else
		(void)relay_back(s, sl, m);
	return true;
}

/* ---- messages of control --------------------------------------------------------------------- */

/* Passes on a question of control; no copy of what a person typed stays in this process. */
static bool passes(struct supervisor *s, struct msg *m)
{
	bool ok = relay_out(s, m);

	/* Cleared from the beginning of the message, because a compiler with sanitizers takes
	 * `type` as the whole size of the object behind `body`. */
	explicit_bzero((uint8_t *)m + offsetof(struct msg, body), sizeof(m->body));
	explicit_bzero(m->storage, sizeof(m->storage));
	return ok;
}

/* Control may only pass on orders that change no account. Other orders come from root, and the
 * supervisor reads them itself from root's connection (orders.c). */
static bool on_user(struct supervisor *s, struct slot *sl, struct msg *m)
{
	return user_order_looks((enum user_order)m->body.user.order) && passes(s, m);
}

static void on_box(struct supervisor *s, struct msg *m)
{
	answer_json(s, (struct asker){ .id = m->id }, ANSWER_YES, json_box(s, (enum box_what)m->body.box.what));
}

/* Sends control the sealed bytes of a stored generation. */
static void on_show(struct supervisor *s, struct msg *m)
{
	int fd = policy_sealed(&s->gens, m->body.show.number);

	answer_fd(s, (struct asker){ .id = m->id }, fd >= 0 ? ANSWER_YES : ANSWER_CANNOT, fd);
	if (fd >= 0)
		close(fd);
}

/* Whether the file belongs to root and is no link: whoever could write it could read every later
 * backup. */
static bool is_roots(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && st.st_size <= (off_t)BACKUP_CERTIFICATE_MOST;
}

static void on_file(struct supervisor *s, struct msg *m)
{
	bool backup = m->body.file.which == BOX_FILE_BACKUP;
	int fd = open(backup ? BACKUP_CERTIFICATE : LOG_CERTIFICATE,
		      O_RDONLY | O_CLOEXEC | O_NONBLOCK | (backup ? O_NOFOLLOW : 0)),
	    code = errno;
	enum answer_status status = fd >= 0 && (!backup || is_roots(fd)) ? ANSWER_YES
				    : fd < 0 && code == ENOENT		 ? ANSWER_NO
									 : ANSWER_INVALID;

	answer_fd(s, (struct asker){ .id = m->id }, status, status == ANSWER_YES ? fd : -1);
	if (fd >= 0)
		close(fd);
}

/* Takes an order over the web. The message may have the secret of a session, so no copy stays in
 * this process. */
static bool on_change(struct supervisor *s, struct slot *sl, struct msg *m)
{
	bool ok = orders_web(s, m);

	explicit_bzero(m->body.change.secret, sizeof(m->body.change.secret));
	explicit_bzero(m->storage, sizeof(m->storage));
	return ok;
}

static bool on_records(struct supervisor *s, struct slot *sl, struct msg *m)
{
	bool ok = orders_records(s, m);

	explicit_bzero(m->body.records.secret, sizeof(m->body.records.secret));
	explicit_bzero(m->storage, sizeof(m->storage));
	return ok;
}

/* Starts a compiler for one piece of work of control. Control lets other work wait until it has
 * ended (control/errands.c). */
static bool on_errand(struct supervisor *s, struct slot *sl, struct msg *m)
{
	struct slot *to = &s->slots[SLOT_ERRAND];
	bool asks = m->body.type == MSG_ASK;

	if (relayed_slot(m->id) != SLOT_ERRAND)
		return false;
	/* A question is about a stored generation: its descriptor goes before the one that control
	 * sent. */
	if (asks && m->n_fds == 1) {
		m->fds[1] = m->fds[0];
		m->fds[0] = policy_sealed(&s->gens, m->body.ask.number);
		m->n_fds = 2;
	}
	if (to->state != SLOT_OFF || m->n_fds != 2 || m->fds[0] < 0) {
		relay_undone(s, m->id);
		return true;
	}
	roles_want(s, SLOT_ERRAND);
	if (!slot_alive(to))
		to->state = SLOT_OFF;
	return relay_out(s, m);
}

/* An asker has left. The id may belong to a question to a role, to an order, or to work of the
 * compiler. */
static bool on_stop(struct supervisor *s, struct slot *sl, struct msg *m)
{
	if ((m->id & RELAYED) == 0)
		return false;
	if (relayed_slot(m->id) == SLOT_ERRAND)
		role_kill(s, &s->slots[SLOT_ERRAND]);
	else if (relayed_slot(m->id) < SLOTS)
		return relay_out(s, m);
	else
		orders_stop(s, m->id);
	return true;
}

/* The handler of each message: `takes`, or `judges`, which returns false when the message is not
 * allowed at this moment. Messages without a row are control's questions to a role and the answers
 * to them, which are passed on. */
static const struct row {
	void (*takes)(struct supervisor *s, struct msg *m);
	bool (*judges)(struct supervisor *s, struct slot *sl, struct msg *m);
	bool control; /* from control alone */
} rows[MSG_TYPE_COUNT] = {
	[MSG_READY] = { .judges = on_ready },
	[MSG_PONG] = { .judges = watch_answered },
	[MSG_ANSWER] = { .judges = on_answer },
	[MSG_MGMT_STATUS] = { .judges = on_mgmt_status },
	[MSG_TABLE_ACK] = { .judges = on_table_ack },
	[MSG_HUNG] = { .judges = worker_hung },
	[MSG_APPLIED] = { on_applied },
	[MSG_COMPILED] = { op_compiled },
	[MSG_DRIFT] = { on_drift },
	[MSG_CUTS] = { on_cuts },
	[MSG_PAIRS] = { pairs_told },
	[MSG_UNANSWERED] = { counting_told },
	[MSG_HEARD] = { on_heard },
	[MSG_PROVEN] = { on_proven },
	[MSG_USED] = { on_used },
	[MSG_CLOCK] = { on_clock },
	[MSG_DOORS] = { on_doors },
	[MSG_ISOLATIONS] = { on_isolations },
	[MSG_PROGRESS] = { .judges = on_progress },

	[MSG_USER] = { .judges = on_user, .control = true },
	[MSG_BOX] = { on_box, .control = true },
	[MSG_SHOW] = { on_show, .control = true },
	[MSG_FILE] = { on_file, .control = true },
	[MSG_CHANGE] = { .judges = on_change, .control = true },
	[MSG_RECORDS] = { .judges = on_records, .control = true },
	[MSG_GROUNDED] = { orders_grounded, .control = true },
	[MSG_SESSIONS] = { op_sessions, .control = true },
	[MSG_WEIGHED] = { op_weighed, .control = true },
	[MSG_SEAL] = { .judges = on_errand, .control = true },
	[MSG_ASK] = { .judges = on_errand, .control = true },
	[MSG_STOP] = { .judges = on_stop, .control = true },
};

static bool dispatch(struct supervisor *s, struct slot *sl, struct msg *m)
{
	const struct row *r = &rows[m->body.type];
	bool ok = !r->control || sl->role == ROLE_CONTROL;

	if (ok && r->takes != NULL)
		r->takes(s, m);
	else if (ok && r->judges != NULL)
		ok = r->judges(s, sl, m);
	else if (sl->role == ROLE_CONTROL)
		ok = !order_is_signed(&m->body) && passes(s, m);
	else /* other roles send to control alone what control may ask for here */
		ok = !msg_may_say(m->body.type, ROLE_CONTROL, ROLE_SUPERVISOR) && relay_back(s, sl, m);
	msg_close_fds(m);
	return ok;
}

/* ---- life and death of a role ---------------------------------------------------------------- */

void role_readable(struct supervisor *s, struct slot *sl)
{
	char title[SLOT_TITLE];

	/* Reads at most 16 messages a turn, so that no role keeps the loop busy. */
	for (unsigned i = 0; i < 16 && slot_alive(sl); i++) {
		struct msg m;
		int r = msg_recv(sl->chan, sl->role, ROLE_SUPERVISOR, &m);

		if (r == -EAGAIN)
			return;
		if (r == 1 && s->ground.ending && m.body.type != MSG_USED) {
			/* while the daemon ends, no message begins anything new */
			msg_close_fds(&m);
			continue;
		}
		if (r == 1 && dispatch(s, sl, &m))
			continue;
		if (r == 1)
			r = -EBADMSG;
		if (r == -EBADMSG || r == -EPROTO) {
			supervisor_say(s, M_ROLE_BROKE_RULES, slot_title(sl, title));
			if (sl->role == ROLE_DPI)
				s->workforce.pairs[sl->index].distrusted = true;
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
	if (s->ground.ending)
		return;
	relay_gone(s, sl);
	orders_gone(s, sl);
	if (sl->role == ROLE_DPI) {
		once_died(s, sl->index, &how);
		worker_died(&s->workforce, sl->index);
		op_tables(s);
	} else if (sl->role == ROLE_GATE) {
		gate_died(s, sl->index);
	} else if (sl->role == ROLE_ENFORCE) {
		op_enforce_died(s);
	} else if (sl->number == SLOT_COMPILE) {
		op_compile_died(s, &how);
	}
	(void)roles_due(s, mono_ns());
}
