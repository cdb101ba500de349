/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operation: the only thing that changes what is in force. One at a time, step by step, never waiting in place:
 *
 *   compile -> stored, devices in, queues open -> tables of old and new permits at every worker -> kernel batch
 *           -> addresses and routes -> tables of the new permits alone -> confirmed, or on trial
 *
 * Until the kernel batch everything can be given up by dropping it. After it, a failure is undone by sending the old
 * generation through the same door. Starting the box, a rollback and the end of a trial are the same walk from its middle.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/compile_role.h"
#include "appliance/rtnl.h"
#include "appliance/supervise.h"
#include "appliance/table_merge.h"

#define SECOND 1000000000ull
#define COMPILE_LIMIT (90 * SECOND)
#define TABLES_LIMIT (1 * SECOND)
#define ENFORCE_LIMIT (5 * SECOND)
#define KERNEL_LIMIT (30 * SECOND)
#define BOOT_RETRY (SECOND / 10)   /* a predecessor's sockets may take a moment to go */
#define DEVICE_RETRY (2 * SECOND)
#define DEVICE_SETTLES (SECOND / 20) /* a new device gets its name in several steps */
#define JSON_MAX (16u << 20)

static void op_next_queued(struct supervisor *s);

bool op_idle(const struct supervisor *s)
{
	return s->op.kind == OP_NONE;
}

static void op_clear(struct operation *op)
{
	if (op->bundle >= 0)
		close(op->bundle);
	policy_free(op->next);
	free(op->moved);
	json_decref(op->diagnostics);
	json_decref(op->cut);
	*op = (struct operation){ .bundle = -1 };
}

static void op_init(struct supervisor *s, enum op_kind k, struct asker a, const char *by)
{
	op_clear(&s->op);
	s->op.kind = k;
	s->op.asker = a;
	s->op.id = ++s->next_id;
	snprintf(s->op.by, sizeof(s->op.by), "%s", by);
}

/* Why it failed; the first reason stays. */
static void explain(struct supervisor *s, int status, enum message m, ...)
{
	va_list ap;

	if (s->op.error[0] != 0)
		return;
	s->op.status = status;
	va_start(ap, m);
	message_vtext(s->op.error, sizeof(s->op.error), s->o->lang, m, ap);
	va_end(ap);
}

static json_t *op_json(struct supervisor *s, bool done)
{
	struct operation *op = &s->op;
	json_t *j = json_object();

	json_object_set_new(j, "done", json_boolean(done));
	json_object_set_new(j, "generation", json_generation(s));
	json_object_set_new(j, "cut", op->cut != NULL ? json_incref(op->cut) : json_array());
	json_object_set_new(j, "diagnostics", op->diagnostics != NULL ? json_incref(op->diagnostics) : json_array());
	json_object_set_new(j, "error", op->error[0] != 0 ? json_text(op->error) : json_null());
	if (op->line != 0)
		json_object_set_new(j, "line", json_integer(op->line));
	if (op->kind == OP_DRY_RUN)
		json_object_set_new(j, "dry_run", json_true());
	return j;
}

/* The end of any operation: answer, tidy up, take the next one that waits. */
static void op_finish(struct supervisor *s, bool done)
{
	int status = done ? 0 : s->op.status != 0 ? s->op.status : 3;

	if (s->op.asker.kind != ASKER_NONE)
		answer_json(s, s->op.asker, status, op_json(s, done));
	else if (!done && s->op.error[0] != 0)
		say(s, M_OP_BOOT_FAILED, s->op.error);
	op_clear(&s->op);
	op_next_queued(s);
}

static void boot_later(struct supervisor *s)
{
	snprintf(s->boot_error, sizeof(s->boot_error), "%s", s->op.error);
	s->boot_again = mono_ns() + BOOT_RETRY;
}

/* Nothing reached the kernel, or the kernel refused: everything prepared is put back. */
static void op_give_up(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct err e;

	if (op->kind == OP_BOOT) {
		boot_later(s);
	} else if (op->kind != OP_DRY_RUN && op->next != NULL) {
		uint8_t *image = malloc(s->now->n_image);

		if (op->moved != NULL)
			box_release(&s->spaces, op->next->ir, op->moved);
		if (image != NULL) {
			memcpy(image, s->now->image, s->now->n_image);
			table_set(s, image, s->now->n_image, &e);
		}
		if (op->kind == OP_APPLY && op->number != 0)
			generation_mark(&s->store, op->number, GEN_REVERTED, &e);
		journal_generation(s, s->now);
	}
	if (op->kind == OP_APPLY)
		policy_event(s, POLICY_REFUSED, op->number);
	/* A trial that could not be ended is ended as soon as it can be. */
	if (op->kind == OP_REVERT && s->trial != 0)
		timerfd_settime(s->trial_fd, 0, &(struct itimerspec){ .it_value = { .tv_sec = 1 } }, NULL);
	op_finish(s, false);
}

/* ---- to the kernel ------------------------------------------------------------------------------------------------ */

static void to_kernel(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct policy *p = op->kind == OP_BOOT || op->step == STEP_UNDO ? s->now : op->next;
	struct err e = { 0 };

	if (s->slots[SLOT_ENFORCE].state != SLOT_RUNNING) {
		if (op->step == STEP_UNDO)
			return; /* goes on when there is an enforce again */
		op->step = STEP_ENFORCE;
		op->deadline = mono_ns() + ENFORCE_LIMIT;
		return;
	}
	/* Names first: what the new rules drop at once must find its names. */
	if (op->kind != OP_DRY_RUN)
		journal_generation(s, p);
	if (op->step != STEP_UNDO)
		op->step = STEP_KERNEL;
	op->deadline = mono_ns() + KERNEL_LIMIT;
	if (kernel_send(s, p, op->kind == OP_DRY_RUN ? APPLY_DRY_RUN : 0, op->id, &e) < 0) {
		/* Its death is on the way, and with it op_enforce_died. Out of memory is no death. */
		if (e.code != -EPIPE) {
			explain(s, 3, M_OP_PREPARE_FAILED, e.text);
			op_give_up(s);
		}
	}
}

void op_tables(struct supervisor *s)
{
	enum table_state t;

	if (s->op.kind == OP_NONE || s->op.step != STEP_TABLES)
		return;
	t = table_state(s);
	if (t == TABLE_EQUAL) {
		to_kernel(s);
	} else if (t == TABLE_REFUSED && s->op.kind != OP_BOOT) {
		explain(s, 3, M_OP_TABLE_REFUSED);
		op_give_up(s);
	}
}

/* Devices, queues and tables for `next`; then the walk goes on by itself. */
static void prepare(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct policy *p = op->next;
	struct err e = { 0 };
	uint8_t *image;
	size_t n;

	op->moved = calloc((size_t)p->ir->n_interfaces + 1, sizeof(*op->moved));
	if (op->moved == NULL) {
		explain(s, 3, M_OP_PREPARE_FAILED, strerror(ENOMEM));
		op_give_up(s);
		return;
	}
	if (box_claim(&s->spaces, p->ir, op->moved, &e) < 0 || workers_prepare(s, ir_lanes(p->ir), p->ir->workers, &e) < 0) {
		explain(s, 3, M_OP_PREPARE_FAILED, e.text);
		op_give_up(s);
		return;
	}
	/* Old permits stay known until the kernel has changed over: both policies are judged rightly at every instant. */
	image = table_merge(p->image, p->n_image, s->table, s->n_table, NULL, NULL, &n);
	if (image == NULL || table_set(s, image, n, &e) < 0) {
		explain(s, 3, M_OP_PREPARE_FAILED, image == NULL ? strerror(ENOMEM) : e.text);
		op_give_up(s);
		return;
	}
	op->step = STEP_TABLES;
	op->deadline = mono_ns() + TABLES_LIMIT;
	op_tables(s);
}

/* ---- compile ------------------------------------------------------------------------------------------------------ */

static void compile_begin(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct slot *sl = &s->slots[SLOT_COMPILE];
	uint8_t space[1];
	struct outbuf b = outbuf_of(space, sizeof(space));

	op->step = STEP_COMPILE;
	op->deadline = mono_ns() + COMPILE_LIMIT;
	if (sl->state != SLOT_OFF)
		return; /* the last one is not reaped yet; op_compile_died comes back here */
	roles_want(s, SLOT_COMPILE);
	out_u8(&b, (uint8_t)s->o->lang);
	op->compiling = role_send(s, sl, MSG_COMPILE, op->id, &b, &op->bundle, 1);
	if (!op->compiling && !slot_alive(sl)) {
		sl->state = SLOT_OFF;
		explain(s, 3, M_OP_COMPILE_DIED);
		op_give_up(s);
	}
}

void op_compile_died(struct supervisor *s)
{
	if (s->op.kind == OP_NONE || s->op.step != STEP_COMPILE)
		return;
	if (!s->op.compiling) {
		compile_begin(s);
		return;
	}
	explain(s, 3, M_OP_COMPILE_DIED);
	op_give_up(s);
}

/* Diagnostics and error text of the compile role's JSON. */
static void take_diagnostics(struct operation *op, const uint8_t *text, size_t n)
{
	json_t *j = json_loadb((const char *)text, n, 0, NULL);
	const char *why = json_string_value(json_object_get(j, "error"));

	op->diagnostics = json_incref(json_object_get(j, "diagnostics"));
	if (why != NULL)
		snprintf(op->error, sizeof(op->error), "%s", why);
	json_decref(j);
}

void op_compiled(struct supervisor *s, struct msg *m)
{
	struct operation *op = &s->op;
	struct err e = { 0 };
	uint8_t status, *all, *sealed;
	uint32_t n_sealed, n_text;
	size_t n;

	if (op->kind == OP_NONE || op->step != STEP_COMPILE || m->id != op->id)
		return;
	bytes_u8(&m->body, &status);
	bytes_be32(&m->body, &n_sealed);
	bytes_be32(&m->body, &n_text);
	if (memfd_read(m->fds[0], GENERATION_MAX_BYTES, &all, &n, &e) < 0 || n_sealed > n || n_text != n - n_sealed ||
	    n_text > JSON_MAX) {
		free(all);
		explain(s, 3, M_OP_COMPILE_BAD, e.text);
		op_give_up(s);
		return;
	}
	take_diagnostics(op, all + n_sealed, n_text);
	if (status != 0) {
		free(all);
		op->status = status == 2 ? 2 : 3;
		op_give_up(s);
		return;
	}
	sealed = realloc(all, n_sealed > 0 ? n_sealed : 1);
	op->next = policy_new(s, sealed != NULL ? sealed : all, n_sealed, 0, &e);
	if (op->next == NULL) {
		explain(s, 3, M_OP_COMPILE_BAD, e.text);
		op_give_up(s);
		return;
	}
	if (op->kind == OP_DRY_RUN) {
		to_kernel(s);
		return;
	}
	if (generation_add(&s->store, op->next->sealed, op->next->n_sealed, op->next->ir->digest, op->by, &op->number, &e) < 0) {
		explain(s, 3, M_OP_PREPARE_FAILED, e.text);
		op_give_up(s);
		return;
	}
	op->next->number = op->number;
	prepare(s);
}

/* ---- from the kernel ---------------------------------------------------------------------------------------------- */

/* Permits that left under on_tighten = "new_flows": their sessions go on, so their tables stay. */
static bool lingers(void *ctx, uint32_t permit)
{
	const struct policy *old = ctx;

	for (uint32_t i = 0; i < old->ir->n_permits; i++)
		if (old->ids[i] == permit)
			return old->ir->permits[i].tighten_new_flows;
	return true; /* lingered before, and may still */
}

static void tables_of_new(struct supervisor *s, struct policy *old)
{
	struct err e;
	size_t n;
	uint8_t *image = table_merge(s->now->image, s->now->n_image, s->table, s->n_table, lingers, old, &n);

	/* Failing here leaves the merged table, which holds more than is live: the kernel asks for nothing in it. */
	if (image != NULL)
		table_set(s, image, n, &e);
}

static void trial_set(struct supervisor *s, uint64_t number, uint32_t seconds)
{
	struct itimerspec t = { .it_value = { .tv_sec = seconds } };

	s->trial = number;
	s->trial_until_wall = number != 0 ? clock_wall_ns() + seconds * SECOND : 0;
	timerfd_settime(s->trial_fd, 0, &t, NULL);
}

/* On disk, what the operation means. Done before anybody is told that it is done. */
static int record(struct supervisor *s, struct err *e)
{
	struct operation *op = &s->op;
	uint64_t was = s->trial;
	int r = 0;

	if (op->kind == OP_APPLY) {
		if (op->confirm_s == 0)
			r = generation_confirm(&s->store, op->number, e);
	} else if (op->kind == OP_ROLLBACK && was == 0) {
		uint64_t left = s->store.confirmed;

		r = generation_confirm(&s->store, op->next->number, e);
		if (r == 0)
			r = generation_mark(&s->store, left, GEN_REVERTED, e);
	}
	if (r == 0 && was != 0)
		r = generation_mark(&s->store, was, GEN_REVERTED, e);
	return r;
}

static void undo(struct supervisor *s, const char *why)
{
	struct err e;

	explain(s, 3, M_OP_BOX_FAILED, why);
	box_set(&s->spaces, s->now->ir, s->op.next->ir, &e);
	s->op.step = STEP_UNDO;
	to_kernel(s);
}

static void in_force(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct policy *old = s->now;
	struct err e = { 0 };

	if (box_set(&s->spaces, op->next->ir, old->ir, &e) < 0 || record(s, &e) < 0) {
		undo(s, e.text);
		return;
	}
	s->now = op->next;
	op->next = NULL;
	s->boot_again = 0;
	s->boot_error[0] = 0;
	s->store_error[0] = 0;
	/* Their box facts may name other interfaces by number now. */
	journal_generation(s, s->now);
	tables_of_new(s, old);
	policy_free(old);
	if (op->kind == OP_APPLY) {
		trial_set(s, op->confirm_s != 0 ? op->number : 0, op->confirm_s);
		policy_event(s, POLICY_APPLIED, op->number);
		if (op->confirm_s == 0)
			policy_event(s, POLICY_CONFIRMED, op->number);
	} else {
		trial_set(s, 0, 0);
		policy_event(s, POLICY_REVERTED, s->now->number);
	}
	op_finish(s, true);
}

static void take_cut(struct operation *op, int fd)
{
	struct err e;
	uint8_t *text;
	size_t n;
	json_t *j, *list;

	if (fd < 0 || memfd_read(fd, JSON_MAX, &text, &n, &e) < 0)
		return;
	j = json_loadb((const char *)text, n, 0, NULL);
	free(text);
	list = json_is_object(j) ? json_object_get(j, "cut") : j;
	if (json_is_array(list)) {
		json_decref(op->cut);
		op->cut = json_incref(list);
	}
	json_decref(j);
}

static void refused(struct supervisor *s, uint32_t line, struct bytes text)
{
	char why[256];
	size_t n = text.left < sizeof(why) - 1 ? text.left : sizeof(why) - 1;

	memcpy(why, text.p, n);
	why[n] = 0;
	s->op.line = line;
	if (line != 0)
		explain(s, 3, M_OP_KERNEL_REFUSED, line, why);
	else
		explain(s, 3, M_OP_KERNEL_REFUSED_NO_LINE, why);
}

static void boot_done(struct supervisor *s)
{
	/* What could be set is in force; a device that is missing is looked for from time to time. */
	s->boot_again = s->box_incomplete ? mono_ns() + DEVICE_RETRY : 0;
	if (!s->box_incomplete)
		s->boot_error[0] = 0;
	if (!s->booted)
		policy_event(s, POLICY_BOOTED, s->now->number);
	s->booted = true;
	op_finish(s, true);
}

void op_applied(struct supervisor *s, struct msg *m)
{
	struct operation *op = &s->op;
	uint8_t done;
	uint32_t line;

	if (op->kind == OP_NONE || m->id != op->id || (op->step != STEP_KERNEL && op->step != STEP_UNDO))
		return;
	bytes_u8(&m->body, &done);
	bytes_be32(&m->body, &line);
	if (op->step == STEP_KERNEL)
		take_cut(op, m->n_fds > 0 ? m->fds[0] : -1);
	if (op->kind != OP_DRY_RUN && done != 0)
		s->adopted = true;
	if (done == 0)
		refused(s, line, m->body);
	if (op->step == STEP_UNDO || (done == 0 && op->kind != OP_DRY_RUN))
		op_give_up(s);
	else if (op->kind == OP_DRY_RUN)
		op_finish(s, done != 0);
	else if (op->kind == OP_BOOT)
		boot_done(s);
	else
		in_force(s);
}

void op_enforce_ready(struct supervisor *s)
{
	s->adopted = false;
	if (s->op.kind == OP_NONE)
		op_boot(s);
	else if (s->op.step == STEP_ENFORCE || s->op.step == STEP_UNDO)
		to_kernel(s);
}

void op_enforce_died(struct supervisor *s)
{
	s->adopted = false;
	if (s->op.kind == OP_NONE || s->op.step != STEP_KERNEL)
		return;
	/* Whether the batch was committed nobody knows; the next enforce makes what is in force true again. */
	explain(s, 3, M_OP_ENFORCE_GONE);
	op_give_up(s);
}

/* ---- beginnings --------------------------------------------------------------------------------------------------- */

void op_boot(struct supervisor *s)
{
	struct err e = { 0 };
	bool *moved;

	if (s->op.kind != OP_NONE)
		return;
	op_init(s, OP_BOOT, (struct asker){ .kind = ASKER_NONE }, "boot");
	moved = calloc((size_t)s->now->ir->n_interfaces + 1, sizeof(*moved));
	s->box_incomplete = moved == NULL || box_claim(&s->spaces, s->now->ir, moved, &e) < 0 ||
			    box_set(&s->spaces, s->now->ir, NULL, &e) < 0;
	free(moved);
	if (s->box_incomplete && strcmp(s->boot_error, e.text) != 0) {
		snprintf(s->boot_error, sizeof(s->boot_error), "%s", e.text);
		say(s, M_OP_BOOT_FAILED, e.text);
	}
	if (workers_prepare(s, ir_lanes(s->now->ir), s->now->ir->workers, &e) < 0) {
		explain(s, 3, M_OP_PREPARE_FAILED, e.text);
		op_give_up(s);
		return;
	}
	s->op.step = STEP_TABLES;
	s->op.deadline = mono_ns() + TABLES_LIMIT;
	op_tables(s);
}

static void conflict(struct supervisor *s, struct asker a)
{
	static const enum message names[] = {
		[OP_NONE] = M_OP_NAME_BOOT, [OP_BOOT] = M_OP_NAME_BOOT, [OP_APPLY] = M_OP_NAME_APPLY,
		[OP_DRY_RUN] = M_OP_NAME_APPLY, [OP_ROLLBACK] = M_OP_NAME_ROLLBACK, [OP_REVERT] = M_OP_NAME_REVERT,
	};
	char name[120], text[300];

	message_text(name, sizeof(name), s->o->lang, names[s->op.kind], s->op.by);
	message_text(text, sizeof(text), s->o->lang, M_OP_BUSY, name);
	answer_json(s, a, 3, json_pack("{s:b, s:o}", "done", 0, "error", json_text(text)));
}

/* An operation of our own is short and makes way; an operator's is not ours to queue behind. */
static bool must_wait(const struct supervisor *s)
{
	return (s->op.kind == OP_BOOT || s->op.kind == OP_REVERT) && s->queued.kind == OP_NONE;
}

static void walk(struct supervisor *s)
{
	struct err e = { 0 };

	if (s->op.kind == OP_APPLY || s->op.kind == OP_DRY_RUN) {
		compile_begin(s);
		return;
	}
	s->op.next = policy_stored(s, s->op.number, &e);
	if (s->op.next == NULL) {
		explain(s, 3, M_OP_PREPARE_FAILED, e.text);
		op_give_up(s);
		return;
	}
	prepare(s);
}

static void op_next_queued(struct supervisor *s)
{
	if (s->queued.kind == OP_NONE || s->op.kind != OP_NONE)
		return;
	s->op = s->queued;
	s->queued = (struct operation){ .bundle = -1 };
	s->op.id = ++s->next_id;
	walk(s);
}

void op_apply(struct supervisor *s, struct asker a, const char *by, int bundle, uint8_t flags, uint32_t confirm_s)
{
	enum op_kind kind = (flags & APPLY_DRY_RUN) != 0 ? OP_DRY_RUN : OP_APPLY;

	if (s->op.kind != OP_NONE) {
		if (!must_wait(s)) {
			close(bundle);
			conflict(s, a);
			return;
		}
		s->queued = (struct operation){ .kind = kind, .asker = a, .bundle = bundle, .confirm_s = confirm_s };
		snprintf(s->queued.by, sizeof(s->queued.by), "%s", by);
		return;
	}
	op_init(s, kind, a, by);
	s->op.bundle = bundle;
	s->op.confirm_s = confirm_s;
	walk(s);
}

static void answer_no(struct supervisor *s, struct asker a, enum message m)
{
	char text[200];

	message_text(text, sizeof(text), s->o->lang, m);
	answer_json(s, a, 3, json_pack("{s:b, s:o, s:o}", "done", 0, "generation", json_generation(s), "error", json_text(text)));
}

void op_confirm(struct supervisor *s, struct asker a)
{
	struct err e = { 0 };

	if (s->op.kind != OP_NONE) {
		conflict(s, a);
		return;
	}
	if (s->trial == 0) {
		answer_no(s, a, M_OP_NOTHING_WAITS);
		return;
	}
	op_init(s, OP_APPLY, a, "confirm");
	if (generation_confirm(&s->store, s->trial, &e) < 0) {
		explain(s, 3, M_OP_PREPARE_FAILED, e.text);
		op_finish(s, false);
		return;
	}
	policy_event(s, POLICY_CONFIRMED, s->trial);
	trial_set(s, 0, 0);
	op_finish(s, true);
}

void op_rollback(struct supervisor *s, struct asker a, const char *by)
{
	uint64_t to = s->trial != 0 ? s->store.confirmed : generation_previous(&s->store);

	if (s->op.kind != OP_NONE) {
		conflict(s, a);
		return;
	}
	if (to == 0 && s->trial == 0) {
		answer_no(s, a, M_OP_NO_PREVIOUS);
		return;
	}
	op_init(s, OP_ROLLBACK, a, by);
	s->op.number = to;
	walk(s);
}

void op_trial_over(struct supervisor *s)
{
	if (s->trial == 0)
		return;
	if (s->op.kind != OP_NONE) {
		/* What runs now ends soon; then the trial ends. */
		timerfd_settime(s->trial_fd, 0, &(struct itimerspec){ .it_value = { .tv_nsec = 100000000 } }, NULL);
		return;
	}
	op_init(s, OP_REVERT, (struct asker){ .kind = ASKER_NONE }, "trial");
	s->op.number = s->store.confirmed;
	walk(s);
}

static void note_device(void *ctx, const char *device)
{
	struct supervisor *s = ctx;

	for (uint32_t i = 0; i < s->now->ir->n_interfaces; i++)
		if (strcmp(s->now->ir->interfaces[i].device, device) == 0)
			s->boot_again = mono_ns() + DEVICE_SETTLES;
}

void op_links(struct supervisor *s)
{
	bool lost;

	rtnl_monitor(s->link_fd, note_device, s, &lost);
	if (lost)
		s->boot_again = mono_ns() + DEVICE_SETTLES;
}

/* ---- deadlines ---------------------------------------------------------------------------------------------------- */

void op_due(struct supervisor *s, uint64_t now)
{
	struct operation *op = &s->op;

	if (op->kind == OP_NONE) {
		if (s->boot_again != 0 && now >= s->boot_again) {
			s->boot_again = 0;
			op_boot(s);
		}
		return;
	}
	if (now < op->deadline)
		return;
	switch (op->step) {
	case STEP_COMPILE:
		role_kill(s, &s->slots[SLOT_COMPILE]);
		explain(s, 3, M_OP_COMPILE_LATE);
		op_give_up(s);
		break;
	case STEP_TABLES:
		if (op->kind == OP_BOOT) {
			to_kernel(s); /* the rules stand without them; what a worker does not know it drops */
			break;
		}
		/* A worker that does not even take its table hangs; its successor gets one more chance. */
		if (!op->ended_silent) {
			op->ended_silent = true;
			op->deadline = now + TABLES_LIMIT;
			workers_end_silent(s);
			break;
		}
		explain(s, 3, M_OP_TABLE_LATE);
		op_give_up(s);
		break;
	case STEP_ENFORCE:
		explain(s, 3, M_OP_ENFORCE_GONE);
		op_give_up(s);
		break;
	case STEP_KERNEL:
		/* Its state is unknown: a new one reads what the kernel has. */
		explain(s, 3, M_OP_ENFORCE_LATE);
		role_kill(s, &s->slots[SLOT_ENFORCE]);
		op_give_up(s);
		break;
	case STEP_UNDO:
		op->deadline = now + KERNEL_LIMIT;
		role_kill(s, &s->slots[SLOT_ENFORCE]);
		break;
	}
}

uint64_t op_next(const struct supervisor *s)
{
	if (s->op.kind != OP_NONE)
		return s->op.deadline;
	return s->boot_again != 0 ? s->boot_again : UINT64_MAX;
}
