/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each role sends to the supervisor, and what it does to the machine. A role here does no more
 * than the real one says in its answers.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/base/json.h"
#include "appliance/base/memfd.h"
#include "appliance/base/sentence.h"
#include "appliance/base/sha256.h"
#include "appliance/wire/event_words.h"
#include "appliance/wire/slot.h"
#include "policy/ir/ir.h"
#include "tests/life/life.h"
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

/* Before a generation is applied or tried, the clock is judged. */
static enum clock_wait look_at(struct process *p, const struct msg *m)
{
	enum clock_wait waits = CLOCK_TRUSTED;
	uint8_t *all = NULL;
	struct err e;
	size_t n;

	if (memfd_read(m->fds[0], GENERATION_BYTES_MOST, &all, &n, &e) == 0)
		waits = doors_try(p, bytes_of(all, n), &m->body.apply);
	free(all);
	return waits;
}

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
	doors_apply(bytes_of(all, n), m->body.apply.n_sealed);
	free(all);
}

/* The sessions that it ends, or gives another permit: two lists for people, and one of numbers. */
static void sessions_told(int fds[4])
{
	unsigned n[2] = { processes.n_cut, processes.n_changed };
	struct msg_told_session one = { .ends = { .client = { .family = 4, .b = { 10, 71, 0, 2 } },
						  .server = { .family = 4, .b = { 10, 73, 0, 2 } },
						  .server_port = 502,
						  .l4proto = IPPROTO_TCP } };
	static uint8_t all[4096 * TOLD_SESSION_BYTES];
	struct outbuf o = outbuf_of(all, sizeof(all));

	for (unsigned i = 0; i < 2; i++) {
		json_t *list = json_array();

		for (unsigned k = 0; k < n[i]; k++) {
			one.ends.client_port++;
			one.permit = i;
			msg_put_told_session(&o, &one);
			json_array_append_new(list, json_pack("{s:i}", "client_port", (int)one.ends.client_port));
		}
		fds[i] = json_memfd(list);
	}
	fds[2] = memfd_sealed("life", all, o.len);
	fds[3] = memfd_sealed("life", all, 0);
}

/* An answer about loaded rules that enforce has not given yet. */
static struct late {
	pid_t pid;
	uint32_t id;
	uint64_t at;
	struct msg_body said;
} late;

uint64_t late_due(void)
{
	return late.id != 0 ? late.at : UINT64_MAX;
}

static bool late_turns(struct process *p)
{
	if (late.id == 0 || machine.mono_ns < late.at)
		return false;
	if (late.pid == p->pid)
		say(p, late.id, &late.said, NULL, 0);
	late.id = 0;
	return true;
}

static void on_apply(struct process *p, struct msg *m)
{
	int fds[4] = { -1, -1, -1, -1 };
	size_t n_fds = 0;

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
	said.applied.clock_wait = (uint8_t)look_at(p, m);
	if (only_looks) {
		said.applied.done = mood != ENFORCE_BLIND;
		said.applied.error = mood == ENFORCE_BLIND ? "the sessions cannot be read" : "";
	}
	if (mood == ENFORCE_BLIND)
		processes.enforce = ENFORCE_OBEYS;
	if (!only_looks && mood != ENFORCE_REFUSES)
		make_true(m);
	if (!only_looks && mood == ENFORCE_DIES_AFTER)
		process_end(p, CLD_KILLED, SIGSEGV);
	else if (!only_looks && processes.slow_loads > 0) {
		processes.slow_loads--;
		late = (struct late){ p->pid, m->id, machine.mono_ns + 3 * SECOND, said };
	} else {
		if (said.applied.done && processes.n_cut + processes.n_changed > 0) {
			sessions_told(fds);
			n_fds = 4;
			said.applied.n_cut = processes.n_cut;
			said.applied.n_changed = processes.n_changed;
		}
		say(p, m->id, &said, fds, n_fds);
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
	}
}

static void on_used(const struct msg *m)
{
	uint8_t *all = NULL;
	struct err e;

	if (memfd_read(m->fds[0], TEXT_MOST, &all, &processes.used, &e) < 0)
		processes.used = 0;
	free(all);
}

/* ---- compile: what it was given names a policy that was compiled beforehand ------------------ */

static void on_compile(struct process *p, struct msg *m)
{
	enum compile_mood mood = processes.compile;
	struct msg_body said = { MSG_COMPILED, .compiled = { .status = ANSWER_YES, .said = 1, .why = "" } };
	const struct compiled_policy *c = policy_of_bundle(m->fds[0]);
	json_t *mistakes = json_array();
	struct sentence brief = { .text = { [LANG_EN] = "it may reach ot", [LANG_JA] = "it は ot に到達できます" } };
	int fds[4];

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
		said.compiled.why = "a.cfg:3: a mistake";
		json_array_append_new(mistakes, json_pack("{s:s, s:s, s:i, s:s}", "severity", "error", "file", "a.cfg",
							  "line", 3, "message", "a mistake"));
	}
	fds[0] = memfd_sealed("life", c->sealed, mood == COMPILE_FINDS_MISTAKES ? 0 : c->n_sealed);
	fds[1] = json_memfd(mistakes);
	fds[2] = json_memfd(
		json_pack("[{s:{s:s, s:s}}]", "text", "en", "it may reach ot", "ja", "it は ot に到達できます"));
	fds[3] = memfd_sealed("life", &brief, sizeof(brief));
	say(p, m->id, &said, fds, 4);
	for (size_t i = 0; i < 4; i++)
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
	memcpy(p->table, said.table_ack.digest, sizeof(p->table));
	say(p, 0, &said, NULL, 0);
	free(image);
}

static void on_impact(struct process *p, struct msg *m)
{
	const struct msg_foretold_command command = {
		.service = 6, .address = 7, .quantity = 1, .low = 3, .high = 4, .writes = 1, .count = 9
	};
	struct msg_foretold_session one = processes.foretold;
	uint8_t all[FORETOLD_SESSION_BYTES + FORETOLD_COMMAND_BYTES];
	struct outbuf o = outbuf_of(all, sizeof(all));
	bool says = one.protocol != 0 && m->body.impact.n_sessions > 0;
	int fd;

	processes.impacts++;
	if (processes.worker == WORKER_SLEEPS)
		return;
	if (m->body.impact.n_sessions > 0)
		machine.mono_ns += processes.answer_ns;
	if (says) {
		one.n_commands = 1;
		msg_put_foretold_session(&o, &one);
		msg_put_foretold_command(&o, &command);
	}
	fd = memfd_sealed("life", all, o.len);
	say(p, m->id,
	    &(struct msg_body){ MSG_FORETOLD,
				.foretold = { .table = processes.worker == WORKER_TAKES, .n_sessions = says } },
	    &fd, 1);
	close(fd);
}

/* ---- journal --------------------------------------------------------------------------------- */

static int sources[SOURCES];
static enum role says[SOURCES]; /* whose each is */
static unsigned n_sources;

static void on_source(struct msg *m)
{
	if (n_sources == SOURCES)
		return;
	says[n_sources] = (enum role)m->body.source.role;
	sources[n_sources++] = msg_take_fd(m, 0);
}

static int told = -1; /* generations wait there */

void journal_begin(int told_here)
{
	told = told_here;
}

void journal_ends(void)
{
	if (told >= 0)
		close(told);
	told = -1;
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
	struct msg m;
	ssize_t n;

	while (told >= 0 && msg_recv(told, ROLE_SUPERVISOR, ROLE_JOURNAL, &m) == 1) {
		LIFE(m.body.type == MSG_GENERATION || m.body.type == MSG_DOORS);
		if (m.body.type == MSG_GENERATION) {
			processes.named = m.body.generation.which;
			processes.names++;
		}
		msg_close_fds(&m);
		any = true;
	}
	for (unsigned i = 0; i < n_sources; i++)
		p[i] = (struct pollfd){ .fd = sources[i], .events = POLLIN };
	if (poll(p, n_sources, 0) <= 0)
		return any;
	for (unsigned i = 0; i < n_sources; i++)
		while ((p[i].revents & POLLIN) != 0 && (n = recv(sources[i], wire, sizeof(wire), MSG_DONTWAIT)) > 0) {
			any = true;
			/* The real one takes no record that its sender may not write. */
			LIFE(event_decode(bytes_of(wire, (size_t)n), &e) && event_said_by(says[i], &e));
			processes.records[e.kind][e.code]++;
			if (e.kind == EVENT_ROLE && e.value < ROLE_COUNT)
				processes.role_records[e.value][e.code]++;
		}
	return any;
}

unsigned recorded(enum event_kind kind, uint8_t code)
{
	return processes.records[kind][code];
}

/* ---- questions of people --------------------------------------------------------------------- */

#define KAKI "{\"name\": \"kaki\", \"two_persons\": false, \"approvers\": []}"

/* The table says which generation its rules belong to. */
static char *rules_digest(void)
{
	static char hex[65];

	for (unsigned i = 0; i < POLICIES_KNOWN; i++)
		if (memcmp(compiled[i].digest, machine.digest, 32) == 0)
			hex_text(compiled[i].generation, 32, hex);
	return hex;
}

static void on_status(struct process *p, const struct msg *m)
{
	struct msg_body said = { .type = MSG_GATE_STATUS };

	if (p->role == ROLE_DPI) {
		said.type = MSG_DPI_STATUS;
		memcpy(said.dpi_status.table, p->table, sizeof(p->table));
		said.dpi_status.reasons[1] = said.dpi_status.share_flows_max[0] = said.dpi_status.latency_packets[0] =
			7;
	} else if (p->role == ROLE_GATE) {
		said.gate_status.lanes = 1;
	} else if (p->role == ROLE_TAP) {
		said.type = MSG_TAP_STATUS;
	} else if (p->role == ROLE_JOURNAL) {
		said = (struct msg_body){ MSG_JOURNAL_STATUS, .journal_status = { .records = 12,
										  .weak_new = 1,
										  .devices_new = 1,
										  .attack_rings = 1,
										  .devices_told[0] = 3,
										  .weak_first[0] = 1,
										  .weak_last[0] = 2,
										  .weak_bits[0] = 1,
										  .weak_sessions[0] = 4,
										  .attack_number[0] = 5,
										  .disk_bytes = 100,
										  .trouble = "" } };
	} else {
		said.type = MSG_ACCOUNTS_STATUS;
	}
	say(p, m->id, &said, NULL, 0);
}

static void on_enforce_asked(struct process *p, const struct msg *m)
{
	char text[300];

	if (m->body.type == MSG_VERIFY)
		(void)snprintf(text, sizeof(text), "{\"equal\": true, \"digest\": \"%s\", \"differences\": []}",
			       rules_digest());
	else if (m->body.type == MSG_EFFECTIVE)
		(void)snprintf(text, sizeof(text),
			       "{\"generation\": {\"digest\": \"%s\"}, \"conduits\": [{\"name\": \"a\", \"mode\": "
			       "\"observe\"}]}",
			       rules_digest());
	else
		(void)snprintf(text, sizeof(text),
			       "{\"forwarding\": %s, \"works_stopped\": 1, \"drift\": {\"seen\": 2, \"last\": null}}",
			       machine.forwarding ? "true" : "false");
	if (processes.said[ROLE_ENFORCE] != NULL)
		answer(p, m->id, ANSWER_YES, processes.said[ROLE_ENFORCE]);
	else
		answer(p, m->id, ANSWER_YES, text);
}

static void on_seal(struct process *p, const struct msg *m)
{
	struct msg_body said = { MSG_SEALED, .sealed = { .trouble = (uint8_t)processes.seal, .bytes = 6 } };
	int fd = memfd_sealed("life", "sealed", 6);

	say(p, m->id, &said, &fd, processes.seal == SEAL_NO_TROUBLE ? 1 : 0);
	close(fd);
	process_end(p, CLD_EXITED, 0);
}

/* Any question that control passes on: its answer says which role heard which one. */
static void on_question(struct process *p, const struct msg *m)
{
	static const uint8_t reports[] = { MSG_LANE,  MSG_WORKER, MSG_DPI_START,  MSG_RETENTION, MSG_CUTS,
					   MSG_PAIRS, MSG_USED,	  MSG_GENERATION, MSG_STOP,	 MSG_READY };
	char text[100];

	for (size_t i = 0; i < sizeof(reports); i++)
		if (m->body.type == reports[i])
			return;
	if (p->role == processes.mute)
		return;
	if (m->body.type == MSG_SEAL) {
		on_seal(p, m);
		return;
	}
	if (p->role == ROLE_ENFORCE && m->body.type != MSG_FLOWS) {
		on_enforce_asked(p, m);
		return;
	}
	if (m->body.type == MSG_STATUS) {
		on_status(p, m);
		return;
	}
	processes.heard = m->body.type;
	(void)snprintf(text, sizeof(text), "{\"heard\":\"%s\"}", role_name(p->role));
	answer(p, m->id, ANSWER_YES, processes.said[p->role] != NULL ? processes.said[p->role] : text);
	if (p->role == ROLE_COMPILE)
		process_end(p, CLD_EXITED, 0);
}

/* The web side's channel to control. */
static bool web_turns(struct process *p)
{
	struct msg_body said = { .type = MSG_MGMT_STATUS };
	struct msg m;

	if (p->people < 0 || msg_recv(p->people, ROLE_CONTROL, ROLE_MGMT, &m) != 1)
		return false;
	if (m.body.type == MSG_CERTIFICATES)
		said = (struct msg_body){ MSG_CERTIFIED, .certified = processes.certified };
	if (m.body.type != MSG_STATUS && m.body.type != MSG_CERTIFICATES)
		people_told(&m);
	else if (p->role != processes.mute)
		(void)msg_send(p->people, m.id, &said, NULL, 0);
	msg_close_fds(&m);
	return true;
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
	case MSG_ISOLATE:
	case MSG_ISOLATIONS:
	case MSG_DOOR:
	case MSG_DOORS:
	case MSG_CLOCK:
	case MSG_IN_FORCE:
		if (p->role == ROLE_ENFORCE && !doors_hear(p, m))
			process_end(p, CLD_EXITED, 0);
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
	case MSG_CUTS:
		processes.cuts++;
		break;
	case MSG_USED:
		on_used(m);
		break;
	case MSG_JUDGE:
	case MSG_AT_MACHINE:
		answer(p, m->id, processes.judged, processes.who != NULL ? processes.who : KAKI);
		break;
	default:
		on_question(p, m);
	}
	return !p->dead;
}

bool role_turns(struct process *p)
{
	if (p->pulse != NULL)
		pulse_beat(p->pulse);
	if (p->role == ROLE_ENFORCE)
		doors_turn(p);
	if (p->role == ROLE_JOURNAL && processes.journal_fails) {
		process_end(p, CLD_EXITED, 1);
		return true;
	}
	if (p->role == ROLE_ENFORCE && late_turns(p))
		return true;
	return (p->role == ROLE_JOURNAL && journal_reads()) || (p->role == ROLE_MGMT && web_turns(p));
}
