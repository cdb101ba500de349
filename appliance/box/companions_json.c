/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs beside the daemon say of themselves, for people. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/box/companions.h"

/* ---- the number of records sent -------------------------------------------------------------- */

#define NOTES "%s-log" /* beside the daemon's folder: the StateDirectory= of sekisho-log.service */

static int open_folder(int dirfd, const char *path)
{
	return openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int read_log_sent(int state_fd, const char *state, struct log_sent *ret)
{
	int journal = open_folder(state_fd, "journal"), notes, r;
	char path[PATH_MAX];
	struct err e;

	if (journal < 0)
		return -errno;
	snprintf(path, sizeof(path), NOTES, state);
	notes = open_folder(AT_FDCWD, path);
	/* When the service was never started, there is no folder. */
	r = notes < 0 && errno != ENOENT ? -errno : log_sent_look(journal, notes, ret, &e);
	if (notes >= 0)
		close(notes);
	close(journal);
	return r;
}

static json_t *log_json(const struct ir *ir, int state_fd, const char *state)
{
	const struct ir_peer *p = companion_server(ir, PEER_LOG);
	bool sends = p != NULL && p->ca[0] != '\0';
	struct log_sent h = { .first = 0 };
	json_t *j;

	if (p == NULL)
		return json_null();
	j = json_pack("{s:o, s:b}", "server", json_endpoint(&p->address, p->port), "sends", (int)sends);
	if (!sends)
		return j;
	if (read_log_sent(state_fd, state, &h) < 0) {
		json_object_set_new(j, "waiting", json_null());
		return j;
	}
	json_object_set_new(j, "waiting", json_integer((json_int_t)h.waiting));
	json_object_set_new(j, "next", h.next != 0 ? json_integer((json_int_t)h.next) : json_null());
	json_object_set_new(j, "since", json_text_or_null(h.since));
	json_object_set_new(j, "last", json_integer((json_int_t)h.last));
	json_object_set_new(j, "noted", h.noted_ns != 0 ? json_time(h.noted_ns) : json_null());
	/* All earlier files are packed, so it is not known how many of their records were sent. */
	json_object_set_new(j, "unsent_before",
			    h.older && h.next == h.first ? json_integer((json_int_t)h.first) : json_null());
	return j;
}

#define STATE_MOST 512u
/* seconds: a state is written every two seconds, and one attempt to send takes up to thirty */
#define FRESH_S 60u

struct program_report {
	char state[COMPANION_LINE], why[COMPANION_LINE];
	int64_t since, waiting, dropped;
};

/* Whether the program's state is valid, about this server, and not old. */
static bool program_said(const char *path, const char *of, struct program_report *ret)
{
	uint8_t file[STATE_MOST];
	struct bytes b = bytes_of(file, companion_read(path, file, sizeof(file)));
	uint64_t at;
	bool fresh = companion_begin(&b, of, companion_now_s(), FRESH_S, &at);

	companion_line(&b, "state", ret->state);
	ret->since = companion_number(&b, "since");
	ret->waiting = companion_number(&b, "waiting");
	ret->dropped = companion_number(&b, "dropped");
	companion_line(&b, "why", ret->why);
	return !b.failed && b.left == 0 && fresh && ret->waiting >= 0 && ret->dropped >= 0 &&
	       (strcmp(ret->state, "good") == 0 || strcmp(ret->state, "failing") == 0);
}

/* `folder`: of the program's state, beside the run folder: the RuntimeDirectory= of the unit. */
static json_t *program_json(const struct ir_peer *p, const char *run, const char *folder)
{
	char path[PATH_MAX], of[ADDR_TEXT + 8], address[ADDR_TEXT];
	struct program_report t;
	bool wrong;

	if (p == NULL)
		return json_null();
	addr_text(&p->address, address);
	snprintf(of, sizeof(of), "%s %u", address, (unsigned)p->port);
	snprintf(path, sizeof(path), "%s-%s/state", run, folder);
	if (!program_said(path, of, &t))
		return json_pack("{s:o, s:s}", "server", json_endpoint(&p->address, p->port), "state", "away");
	/* A service that works may still report an error, if it cannot save how much it has
	 * sent. */
	wrong = strcmp(t.state, "failing") == 0 || strcmp(t.why, "-") != 0;
	return json_pack("{s:o, s:s, s:o, s:I, s:I, s:o}", "server", json_endpoint(&p->address, p->port), "state",
			 t.state, "since", wrong && t.since >= 0 ? companion_time((uint64_t)t.since) : json_null(),
			 "waiting", (json_int_t)t.waiting, "dropped", (json_int_t)t.dropped, "why",
			 wrong ? json_text(t.why) : json_null());
}

/* ---- the UPS --------------------------------------------------------------------------------- */

/* beside the run folder: the RuntimeDirectory= of sekisho-ups.service */
#define UPS_STATE "%s-ups/state"

struct ups_report ups_now(const char *run, const char *of)
{
	uint8_t file[UPS_TEXT];
	char path[PATH_MAX];

	snprintf(path, sizeof(path), UPS_STATE, run);
	return ups_read(file, companion_read(path, file, sizeof(file)), of, companion_now_s());
}

static json_t *number_or_null(int v)
{
	return v >= 0 ? json_integer(v) : json_null();
}

static json_t *ups_json(const struct ir *ir, const char *run, const struct ups_watch *w)
{
	const struct ir_peer *p = companion_server(ir, PEER_UPS);
	char of[UPS_NAME_MOST];
	struct ups_report now;

	if (p == NULL)
		return json_null();
	companion_ups_name(p, of, sizeof(of));
	now = ups_now(run, of);
	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "server", json_endpoint(&p->address, p->port),
			 "name", p->name, "state", ups_words[now.is], "since",
			 now.is != UPS_AWAY ? companion_time(now.since_s) : json_null(), "away_since",
			 now.is == UPS_AWAY && w->silent ? companion_time(w->silent_s) : json_null(), "charge",
			 number_or_null(now.charge), "runtime", number_or_null(now.runtime_s), "counted",
			 now.counted == UPS_COUNTED_UNKNOWN ? json_null() : json_boolean(now.counted == UPS_COUNTED),
			 "on_low", on_low_words[p->power_off]);
}

void companions_json(json_t *status, const struct ir *ir, int state_fd, const char *state, const char *run,
		     const struct ups_watch *w)
{
	json_object_set_new(status, "log", log_json(ir, state_fd, state));
	json_object_set_new(status, "ups", ups_json(ir, run, w));
	json_object_set_new(status, "mail", program_json(companion_server(ir, PEER_MAIL), run, "notify"));
	json_object_set_new(status, "snmp", program_json(companion_server(ir, PEER_SNMP), run, "inform"));
}
