/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs beside the daemon say of themselves, for people. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/box/companions.h"
#include "appliance/box/log_sent.h"

/* ---- the number of records sent -------------------------------------------------------------- */

#define NOTES "%s-log" /* beside the daemon's folder: the StateDirectory= of sekisho-log.service */

static int folder(int dirfd, const char *path)
{
	return openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int look(int state_fd, const char *state, struct handed *ret)
{
	int journal = folder(state_fd, "journal"), notes, r;
	char path[PATH_MAX];
	struct err e;

	if (journal < 0)
		return -errno;
	snprintf(path, sizeof(path), NOTES, state);
	notes = folder(AT_FDCWD, path);
	/* When the service was never started, there is no folder. */
	r = notes < 0 && errno != ENOENT ? -errno : handed_look(journal, notes, ret, &e);
	if (notes >= 0)
		close(notes);
	close(journal);
	return r;
}

static const struct ir_peer *log_server(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == PEER_LOG)
			return &ir->peers[i];
	return NULL;
}

/* The record's time as text; null when empty. */
static json_t *text_or_null(const char *text)
{
	return *text != '\0' ? json_text(text) : json_null();
}

json_t *beside_log_json(const struct ir *ir, int state_fd, const char *state)
{
	const struct ir_peer *p = log_server(ir);
	bool sends = p != NULL && p->ca[0] != '\0';
	struct handed h = { .first = 0 };
	json_t *j;

	if (p == NULL)
		return json_null();
	j = json_pack("{s:o, s:b}", "server", json_endpoint(&p->address, p->port), "sends", (int)sends);
	if (!sends)
		return j;
	if (look(state_fd, state, &h) < 0) {
		json_object_set_new(j, "waiting", json_null());
		return j;
	}
	json_object_set_new(j, "waiting", json_integer((json_int_t)h.waiting));
	json_object_set_new(j, "next", h.next != 0 ? json_integer((json_int_t)h.next) : json_null());
	json_object_set_new(j, "since", text_or_null(h.since));
	json_object_set_new(j, "last", json_integer((json_int_t)h.last));
	json_object_set_new(j, "noted", h.noted_ns != 0 ? json_time(h.noted_ns) : json_null());
	/* All earlier files are packed, so it is not known how many of their records were sent. */
	json_object_set_new(j, "unsent_before",
			    h.older && h.next == h.first ? json_integer((json_int_t)h.first) : json_null());
	return j;
}

/* Beside the run folder: the RuntimeDirectory= of the unit. */
#define NOTIFY_STATE "%s-notify/state"
#define INFORM_STATE "%s-inform/state"
#define STATE_MOST 512u
/* seconds: a state is written every two seconds, and one attempt to send takes up to thirty */
#define FRESH_S 60u

struct told_said {
	char state[SAID_LINE], why[SAID_LINE];
	int64_t since, waiting, dropped;
};

/* Whether the program's state is valid, about this server, and not old. */
static bool program_said(const char *path, const char *of, struct told_said *ret)
{
	uint8_t file[STATE_MOST];
	char whom[SAID_LINE];
	struct bytes b;
	int64_t at, now = (int64_t)said_now_s();

	b = bytes_of(file, said_file(path, file, sizeof(file)));
	at = said_number(&b, "at");
	said_line(&b, "of", whom);
	said_line(&b, "state", ret->state);
	ret->since = said_number(&b, "since");
	ret->waiting = said_number(&b, "waiting");
	ret->dropped = said_number(&b, "dropped");
	said_line(&b, "why", ret->why);
	return !b.failed && b.left == 0 && at >= 0 && at <= now && now - at <= (int64_t)FRESH_S &&
	       strcmp(whom, of) == 0 && ret->waiting >= 0 && ret->dropped >= 0 &&
	       (strcmp(ret->state, "good") == 0 || strcmp(ret->state, "failing") == 0);
}

static json_t *fares(const char *path, const struct ir_peer *p)
{
	char of[ADDR_TEXT + 8], address[ADDR_TEXT];
	struct told_said t;
	bool wrong;

	if (p == NULL)
		return json_null();
	addr_text(&p->address, address);
	snprintf(of, sizeof(of), "%s %u", address, (unsigned)p->port);
	if (!program_said(path, of, &t))
		return json_pack("{s:o, s:s}", "server", json_endpoint(&p->address, p->port), "state", "away");
	/* The service may work and still report an error: it cannot save how much it has sent. */
	wrong = strcmp(t.state, "failing") == 0 || strcmp(t.why, "-") != 0;
	return json_pack("{s:o, s:s, s:o, s:I, s:I, s:o}", "server", json_endpoint(&p->address, p->port), "state",
			 t.state, "since", wrong && t.since >= 0 ? said_time((uint64_t)t.since) : json_null(),
			 "waiting", (json_int_t)t.waiting, "dropped", (json_int_t)t.dropped, "why",
			 wrong ? json_text(t.why) : json_null());
}

json_t *beside_mail_json(const struct ir *ir, const char *run)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), NOTIFY_STATE, run);
	return fares(path, beside_mail_server(ir));
}

json_t *beside_snmp_json(const struct ir *ir, const char *run)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), INFORM_STATE, run);
	return fares(path, beside_snmp_receiver(ir));
}

/* ---- the UPS --------------------------------------------------------------------------------- */

/* beside the run folder: the RuntimeDirectory= of sekisho-ups.service */
#define UPS_STATE "%s-ups/state"

struct ups_said ups_now(const char *run, const char *of)
{
	uint8_t file[UPS_TEXT];
	char path[PATH_MAX];

	snprintf(path, sizeof(path), UPS_STATE, run);
	return ups_read(file, said_file(path, file, sizeof(file)), of, said_now_s());
}

static json_t *number_or_null(int v)
{
	return v >= 0 ? json_integer(v) : json_null();
}

json_t *beside_ups_json(const struct ir *ir, const char *run, const struct ups_watch *w)
{
	const struct ir_peer *p = beside_ups_server(ir);
	char of[UPS_NAME_MOST];
	struct ups_said now;

	if (p == NULL)
		return json_null();
	beside_ups_name(p, of, sizeof(of));
	now = ups_now(run, of);
	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "server", json_endpoint(&p->address, p->port),
			 "name", p->name, "state", ups_words[now.is], "since",
			 now.is != UPS_AWAY ? said_time(now.since_s) : json_null(), "away_since",
			 now.is == UPS_AWAY && w->silent ? said_time(w->silent_s) : json_null(), "charge",
			 number_or_null(now.charge), "runtime", number_or_null(now.runtime_s), "counted",
			 now.counted == UPS_COUNTED_UNKNOWN ? json_null() : json_boolean(now.counted == UPS_COUNTED),
			 "on_low", on_low_words[p->power_off]);
}
