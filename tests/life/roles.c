/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each role sends to the supervisor, and what it does to the machine. A role here does no more
 * than the real one says in its answers.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/base/json.h"
#include "appliance/base/memfd.h"
#include "appliance/base/sha256.h"
#include "appliance/wire/slot.h"
#include "policy/ir/ir.h"
#include "tests/life/machine.h"
#include "tests/life/policies.h"
#include "tests/life/processes.h"
#include "tests/life/processes_private.h"

#define SOURCES (SLOTS + 1u)
#define TEXT_MOST (4u << 20)

static void say(struct process *p, uint32_t id, const struct msg_body *m, const int *fds, size_t n)
{
	if (msg_send(p->chan, id, m, fds, n) < 0)
		process_end(p, CLD_EXITED, 0);
}

static void answer(struct process *p, uint32_t id, enum answer_status status, const char *text)
{
	int fd = memfd_sealed("life", text, strlen(text));

	say(p, id, &(struct msg_body){ MSG_ANSWER, .answer = { .status = (uint8_t)status } }, &fd, 1);
	close(fd);
}

/* ---- enforce --------------------------------------------------------------------------------- */

/* Notes in the table's own data to which generation the rules belong, as the real role does. */
static void make_true(const struct msg *m)
{
	uint8_t *all = NULL;
	struct err e;
	size_t n;

	if (memfd_read(m->fds[0], GENERATION_BYTES_MOST, &all, &n, &e) < 0 || n < m->body.apply.n_sealed)
		return;
	sha256(all, m->body.apply.n_sealed, machine.digest);
	machine.forwarding = true;
	free(all);
}

static void on_apply(struct process *p, struct msg *m)
{
	enum enforce_mood mood = processes.enforce;
	bool only_looks = (m->body.apply.flags & (APPLY_DRY_RUN | APPLY_FORETELL)) != 0;
	struct msg_body said = { MSG_APPLIED,
				 .applied = { .done = mood != ENFORCE_REFUSES,
					      .error = mood == ENFORCE_REFUSES ? "the kernel refused" : "" } };

	if (!only_looks)
		processes.enforce = ENFORCE_OBEYS;
	if (mood == ENFORCE_SLEEPS && !only_looks) {
		p->frozen = true;
		return;
	}
	if (mood == ENFORCE_DIES_BEFORE) {
		processes.enforce = ENFORCE_OBEYS;
		process_end(p, CLD_KILLED, SIGSEGV);
		return;
	}
	if (only_looks)
		said.applied.done = true;
	if (only_looks)
		said.applied.error = "";
	if (!only_looks && mood != ENFORCE_REFUSES)
		make_true(m);
	if (!only_looks && mood == ENFORCE_DIES_AFTER)
		process_end(p, CLD_KILLED, SIGSEGV);
	else
		say(p, m->id, &said, NULL, 0);
}

/* Handles an order to isolate: something is isolated if the order names any pairs. */
static void on_apart(struct process *p, struct msg *m)
{
	uint8_t *all = NULL;
	struct err e;
	size_t n = 0;

	if (memfd_read(m->fds[0], TEXT_MOST, &all, &n, &e) == 0 && m->body.apart.rehearse == 0)
		machine.isolated = n > 0;
	free(all);
	answer(p, m->id, ANSWER_YES, "{\"sessions\": 0}");
}

static void on_doors(struct process *p, struct msg *m)
{
	struct msg_open_door door = { .until = 0 };
	uint8_t *all = NULL;
	struct err e;
	size_t n = 0;

	if (memfd_read(m->fds[0], TEXT_MOST, &all, &n, &e) == 0) {
		struct bytes b = bytes_of(all, n);

		machine.gate_open = n > 0 && msg_take_open_door(&b, &door) ? door.until : 0;
	}
	free(all);
	answer(p, m->id, ANSWER_YES, "{}");
}

/* ---- compile: what it was given names a policy that was compiled beforehand ------------------ */

static void on_compile(struct process *p, struct msg *m)
{
	enum compile_mood mood = processes.compile;
	struct msg_body said = { MSG_COMPILED, .compiled = { .status = ANSWER_YES } };
	const struct compiled_policy *c = policy_of_bundle(m->fds[0]);
	json_t *mistakes = json_array();
	int fds[3];

	processes.compile = COMPILE_WORKS;
	if (mood == COMPILE_SLEEPS) {
		p->frozen = true;
		json_decref(mistakes);
		return;
	}
	if (mood == COMPILE_DIES || c == NULL) {
		process_end(p, CLD_KILLED, SIGSEGV);
		json_decref(mistakes);
		return;
	}
	if (mood == COMPILE_FINDS_MISTAKES) {
		said.compiled.status = ANSWER_INVALID;
		json_array_append_new(mistakes, json_pack("{s:s, s:s, s:i, s:s}", "severity", "error", "file", "a.cfg",
							  "line", 3, "message", "a mistake"));
	}
	fds[0] = memfd_sealed("life", c->sealed, mood == COMPILE_FINDS_MISTAKES ? 0 : c->n_sealed);
	fds[1] = json_memfd(mistakes);
	fds[2] = json_memfd(json_object());
	say(p, m->id, &said, fds, 3);
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
	process_end(p, CLD_EXITED, 0);
}

/* ---- workers --------------------------------------------------------------------------------- */

static void on_table(struct process *p, struct msg *m)
{
	struct msg_body said = { .type = MSG_TABLE_ACK };
	uint8_t *image = NULL;
	struct err e;
	size_t n;

	if (processes.worker == WORKER_SLEEPS)
		return;
	if (memfd_read(m->fds[0], TEXT_MOST, &image, &n, &e) < 0 || n < m->body.table.n_image) {
		process_end(p, CLD_EXITED, 1);
		return;
	}
	if (processes.worker == WORKER_TAKES)
		sha256(image, m->body.table.n_image, said.table_ack.digest);
	say(p, 0, &said, NULL, 0);
	free(image);
}

static void on_impact(struct process *p, struct msg *m)
{
	int fd = memfd_sealed("life", "", 0);

	say(p, m->id, &(struct msg_body){ MSG_FORETOLD, .foretold = { .table = 1 } }, &fd, 1);
	close(fd);
}

/* ---- journal --------------------------------------------------------------------------------- */

static int sources[SOURCES];
static unsigned n_sources;

static void on_source(struct msg *m)
{
	if (n_sources < SOURCES)
		sources[n_sources++] = msg_take_fd(m, 0);
}

void journal_ends(void)
{
	while (n_sources > 0)
		close(sources[--n_sources]);
}

/* The event sockets are polled in one call, because there is nearly never anything to read. */
static bool journal_reads(void)
{
	struct pollfd p[SOURCES];
	uint8_t wire[EVENT_WIRE_MAX];
	bool any = false;
	struct event e;
	ssize_t n;

	for (unsigned i = 0; i < n_sources; i++)
		p[i] = (struct pollfd){ .fd = sources[i], .events = POLLIN };
	if (poll(p, n_sources, 0) <= 0)
		return false;
	for (unsigned i = 0; i < n_sources; i++)
		while ((p[i].revents & POLLIN) != 0 && (n = recv(sources[i], wire, sizeof(wire), MSG_DONTWAIT)) > 0) {
			any = true;
			if (event_decode(bytes_of(wire, (size_t)n), &e))
				processes.records[e.kind][e.code]++;
		}
	return any;
}

unsigned recorded(enum event_kind kind, uint8_t code)
{
	return processes.records[kind][code];
}

/* ---- control: the person's end --------------------------------------------------------------- */

/* a number of no role: it marks a person's question to the supervisor itself */
#define PEOPLE SLOTS

static void on_answer(const struct msg *m)
{
	uint32_t number = m->id & RELAYED_NUMBER;
	struct answer *a = number < ANSWERS_KEPT ? &processes.answers[number] : NULL;
	uint8_t *text = NULL;
	struct err e;
	size_t n;

	if (a == NULL)
		return;
	a->told = true;
	a->times++;
	a->status = m->body.answer.status;
	if (m->n_fds > 0 && memfd_read(m->fds[0], TEXT_MOST, &text, &n, &e) == 0) {
		n = n < sizeof(a->text) - 1 ? n : sizeof(a->text) - 1;
		memcpy(a->text, text, n);
		a->text[n] = '\0';
	}
	free(text);
}

/* The stored draft, to which an account's order refers, as control has it. */
static void on_ground(struct process *p, const struct msg *m)
{
	int fd = policy_bundle(processes.draft);

	say(p, m->id, &(struct msg_body){ MSG_GROUNDED, .grounded = { .status = ANSWER_YES, .comment = "the draft" } },
	    &fd, 1);
	close(fd);
}

static uint32_t number_new(void)
{
	uint32_t number = processes.asked + 1;

	if (number >= ANSWERS_KEPT || process_of(ROLE_CONTROL) == NULL)
		return 0;
	processes.asked = number;
	processes.answers[number] = (struct answer){ .asked = true };
	return number;
}

uint32_t person_asks(const struct msg_body *question, int fd)
{
	uint32_t number = number_new();

	if (number != 0)
		say(process_of(ROLE_CONTROL), relayed_id(PEOPLE, number), question, &fd, fd >= 0 ? 1 : 0);
	return number;
}

uint32_t person_orders(const struct msg_body *order, int fd)
{
	uint32_t number = number_new();
	int sv[2];

	if (number == 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return 0;
	if (msg_send(sv[0], number, order, &fd, fd >= 0 ? 1 : 0) == 0)
		say(process_of(ROLE_CONTROL), relayed_id(PEOPLE, number), &(struct msg_body){ .type = MSG_HAND },
		    &sv[1], 1);
	close(sv[0]);
	close(sv[1]);
	return number;
}

/* ---- all ------------------------------------------------------------------------------------- */

bool role_hears(struct process *p, struct msg *m)
{
	switch ((unsigned)m->body.type) {
	case MSG_APPLY:
		on_apply(p, m);
		break;
	case MSG_COMPILE:
		on_compile(p, m);
		break;
	case MSG_APART:
		on_apart(p, m);
		break;
	case MSG_DOORS:
		on_doors(p, m);
		break;
	case MSG_TABLE:
		on_table(p, m);
		break;
	case MSG_IMPACT:
		on_impact(p, m);
		break;
	case MSG_SOURCE:
		on_source(m);
		break;
	case MSG_ANSWER:
		on_answer(m);
		break;
	case MSG_GROUND:
		on_ground(p, m);
		break;
	case MSG_STANDING:
		processes.standing = m->body.standing;
		break;
	case MSG_JUDGE:
	case MSG_AT_MACHINE:
		answer(p, m->id, ANSWER_YES, "{\"name\": \"kaki\", \"two_persons\": false, \"approvers\": []}");
		break;
	default:
		break;
	}
	return !p->dead;
}

bool role_turns(struct process *p)
{
	if (p->pulse != NULL)
		pulse_beat(p->pulse);
	return p->role == ROLE_JOURNAL && journal_reads();
}
