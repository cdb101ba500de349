/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/notify/outlet.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/wire/filter.h"
#include "appliance/wire/hours.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"
#include "mgmt/state/alarms.h"
#include "mgmt/words/event.h"

#define LOOK_S 2 /* seconds between two looks */

/* ---- questions ------------------------------------------------------------------------------- */

/* The control socket allows these programs' users to ask for the state and the records. */

#define WAIT_S 5
#define ANSWER_MOST (16u << 20) /* bytes of JSON */

static int dial(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = WAIT_S };
	int fd;

	if (strlen(path) >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
			connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static json_t *object_of(int fd)
{
	struct err e = { 0 };
	uint8_t *text = NULL;
	json_t *ret = NULL;
	size_t n = 0;

	if (memfd_read(fd, ANSWER_MOST, &text, &n, &e) == 0)
		ret = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (json_is_object(ret))
		return ret;
	json_decref(ret);
	return NULL;
}

/* The answer, an object owned by the caller; NULL when none came within some seconds, or it was
 * invalid. */
static json_t *ask_daemon(const char *socket, const struct msg_body *question)
{
	int fd = dial(socket);
	struct msg m = { 0 };
	json_t *ret = NULL;

	if (fd < 0)
		return NULL;
	if (msg_send(fd, 1, question, NULL, 0) >= 0 && msg_recv(fd, ROLE_SUPERVISOR, ROLE_CLI, &m) == 1) {
		if (m.body.type == MSG_ANSWER && m.body.answer.status == ANSWER_YES && m.n_fds == 1)
			ret = object_of(m.fds[0]);
		msg_close_fds(&m);
	}
	close(fd);
	return ret;
}

/* ---- looks ----------------------------------------------------------------------------------- */

/* looks without an answer until the missing daemon is an alarm; a restart takes fewer */
#define ABSENT_LOOKS 5u
#define PAGE 100u

static void take_records(struct outlet *o)
{
	struct msg_body q = { MSG_EVENTS, .events = { .after = ledger_after(&o->ledger), .most = PAGE } };
	json_t *answer;

	if (!event_filter_set(&q.events.filter, FILTER_SEVERITY, "serious"))
		return;
	answer = ask_daemon(o->socket, &q);
	json_each(e, ja(answer, "events")) {
		char *en = event_sentence(e, LANG_EN), *japanese = event_sentence(e, LANG_JA);

		/* the alarm itself is sent, so its record is not */
		if (!js_is(e, "kind", "attack") || strncmp(js(e, "code"), "rang", 4) != 0)
			ledger_record(&o->ledger, ju(e, "seq"), js(e, "time"), en != NULL ? en : "",
				      japanese != NULL ? japanese : "");
		o->tried |= js_is(e, "code", "message_tried");
		free(en);
		free(japanese);
		if (ju(e, "seq") > ledger_after(&o->ledger))
			ledger_set_after(&o->ledger, ju(e, "seq"));
		ledger_set_mark(&o->ledger, ju(e, "seq"), js(e, "hash"));
	}
	if (ju(answer, "next") > ledger_after(&o->ledger))
		ledger_set_after(&o->ledger, ju(answer, "next"));
	json_decref(answer);
}

/* 1: the known record is still there; 0: it is another one, or missing; -1: no answer. */
static int has_mark(const struct outlet *o)
{
	json_t *answer = ask_daemon(
		o->socket,
		&(struct msg_body){ MSG_EVENTS, .events = { .after = ledger_mark(&o->ledger) - 1, .most = 1 } });
	const json_t *e = json_array_get(ja(answer, "events"), 0);
	int r = answer == NULL
			? -1
			: ju(e, "seq") == ledger_mark(&o->ledger) && js_is(e, "hash", ledger_mark_hash(&o->ledger));

	json_decref(answer);
	return r;
}

/*
 * Finds out whether the records are still a continuation of those of the last look. If the records
 * were begun anew, numbers begin at 1 again, the first record tells why, and all records are new.
 * After a power cut, only the last records may be missing, because they were not on the disk yet:
 * then reading continues after the record that is still known. This is checked after each look
 * without an answer, and when there are fewer records than before. False: not known yet.
 */
static bool hold_to_records(struct outlet *o, const json_t *journal)
{
	uint64_t newest = ju(journal, "records");
	bool fewer = newest < ledger_after(&o->ledger);
	int same = !fewer;

	if (!json_is_integer(json_object_get(journal, "records")))
		return false;
	if (o->new_ledger)
		ledger_set_after(&o->ledger, newest);
	else if (!o->sure || fewer) {
		if (ledger_mark(&o->ledger) != 0)
			same = has_mark(o);
		if (same < 0)
			return false;
		if (same == 0) {
			ledger_set_after(&o->ledger, 0);
			ledger_set_mark(&o->ledger, 0, "");
		} else if (fewer) {
			ledger_set_after(&o->ledger, ledger_mark(&o->ledger));
		}
	}
	o->new_ledger = false;
	o->sure = true;
	if (ledger_mark(&o->ledger) == 0 && newest > 0)
		ledger_set_mark(&o->ledger, newest, js(journal, "head"));
	return true;
}

static void look_at_alarms(struct outlet *o)
{
	json_t *status = ask_daemon(o->socket, &(struct msg_body){ .type = MSG_STATUS }), *alarms,
	       *now = json_time(clock_wall_ns());

	if (status == NULL) {
		o->sure = false;
		/* A missing answer does not end an alarm. */
		if (++o->absent >= ABSENT_LOOKS) {
			alarms = json_deep_copy(json_object_get(o->ledger.all, "alarms"));
			(void)json_array_append_new(alarms, alarm_of_no_daemon());
			ledger_look(&o->ledger, alarms, json_string_value(now));
			json_decref(alarms);
		}
	} else {
		o->absent = 0;
		people_zone(js(ja(status, "site"), "time_zone"));
		snprintf(o->site, sizeof(o->site), "%s", js(ja(status, "site"), "name"));
		snprintf(o->contact, sizeof(o->contact), "%s", js(ja(status, "site"), "contact"));
		ledger_generation(&o->ledger, ju(ja(status, "generation"), "number"));
		alarms = alarms_find(status);
		ledger_look(&o->ledger, alarms, json_string_value(now));
		json_decref(alarms);
		if (hold_to_records(o, ja(status, "journal")))
			take_records(o);
	}
	json_decref(now);
	json_decref(status);
}

/* ---- sending --------------------------------------------------------------------------------- */

#define BACK_OFF_S 5u
#define BACK_OFF_MOST_S 300u
#define CREDENTIAL_MOST 1024u

static uint64_t up_s(void)
{
	return clock_boot_ns() / 1000000000u + 1; /* 0 means no time */
}

/* Whether there is something to send, and sending may be tried now. */
static bool is_due(const struct outlet *o)
{
	uint64_t sent = ledger_sent_s(&o->ledger), now = clock_wall_s();

	/* A clock that was set back must not delay anything. */
	return ledger_waiting(&o->ledger) > 0 &&
	       (o->tried || (up_s() >= o->next_s && (sent > now || now - sent >= o->s.every_s)));
}

/* Notes since when something fails, and says why if that is new. */
static void note_failure(const struct outlet *o, uint64_t *since_s, char kept[OUTLET_WHY], const char *why)
{
	if (*since_s == 0 || strcmp(kept, why) != 0)
		fprintf(stderr, "%s: %s\n", o->program, why);
	if (*since_s == 0)
		*since_s = up_s();
	snprintf(kept, OUTLET_WHY, "%s", why);
}

void outlet_failed(struct outlet *o, const char *why)
{
	note_failure(o, &o->failing_s, o->why, why);
	o->back_off_s = o->back_off_s == 0 ? BACK_OFF_S : o->back_off_s * 2;
	if (o->back_off_s > BACK_OFF_MOST_S)
		o->back_off_s = BACK_OFF_MOST_S;
	o->next_s = up_s() + o->back_off_s;
}

void outlet_well(struct outlet *o)
{
	o->failing_s = o->back_off_s = 0;
}

void outlet_save(struct outlet *o)
{
	struct err e = { 0 };

	if (ledger_save(o->state_fd, &o->ledger, &e) == 0)
		o->unsaved_s = 0;
	else
		note_failure(o, &o->unsaved_s, o->unsaved, e.text);
}

/* Writes the state for the daemon, which checks every value (appliance/supervise/companions.c). */
static void put_down(const struct outlet *o)
{
	const uint64_t since_s = o->failing_s != 0 ? o->failing_s : o->unsaved_s;
	const char *said = o->failing_s != 0 ? o->why : o->unsaved;
	char text[400], address[ADDR_TEXT], why[OUTLET_WHY], since[24] = "-";
	struct err e = { 0 };
	int size;

	addr_text(&o->s.address, address);
	for (size_t i = 0; i < sizeof(why); i++)
		why[i] = said[i] >= ' ' && said[i] <= '~' ? said[i] : (char)(said[i] == '\0' ? '\0' : '?');
	if (since_s != 0)
		snprintf(since, sizeof(since), "%llu", (unsigned long long)(since_s - 1));
	size = snprintf(text, sizeof(text),
			"at %llu\nof %s %u\nstate %s\nsince %s\nwaiting %zu\ndropped %llu\nwhy %s\n",
			(unsigned long long)(up_s() - 1), address, (unsigned)o->s.port,
			o->failing_s != 0 ? "failing" : "good", since, ledger_waiting(&o->ledger),
			(unsigned long long)ledger_dropped(&o->ledger), since_s != 0 ? why : "-");
	if (size <= 0 || (size_t)size >= sizeof(text) || atomic_write(o->run_fd, "state", text, (size_t)size, &e) < 0)
		fprintf(stderr, "%s: %s\n", o->program, e.text);
}

/* The folder that systemd names in this environment variable; -1: none. */
static int open_folder(const char *variable)
{
	const char *path = getenv(variable);

	return path != NULL ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

void outlet_credential(const char *file, unsigned line, char *out, size_t size)
{
	int fd = open_folder("CREDENTIALS_DIRECTORY");
	struct err e = { 0 };
	uint8_t *text = NULL;
	size_t all = 0;

	*out = '\0';
	if (fd < 0)
		return;
	if (file_read(fd, file, CREDENTIAL_MOST, &text, &all, &e) == 0) {
		const char *at = (const char *)text;
		size_t n;

		for (; line > 0; line--) {
			at += strcspn(at, "\n");
			at += *at == '\n';
		}
		n = strcspn(at, "\r\n");
		if (n < size && (n != 1 || *at != '-')) {
			memcpy(out, at, n);
			out[n] = '\0';
		}
		explicit_bzero(text, all);
	}
	free(text);
	close(fd);
}

/* ---- the program ----------------------------------------------------------------------------- */

int outlet_open(struct outlet *o, enum outlet_kind kind, int argc, char **argv)
{
	struct err e = { 0 };

	o->state_fd = open_folder("STATE_DIRECTORY");
	o->run_fd = open_folder("RUNTIME_DIRECTORY");
	if (argc != 3 || o->state_fd < 0 || o->run_fd < 0) {
		fprintf(stderr, "%s SETTINGS CONTROL-SOCKET: started by %s.service\n", o->program, o->program);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	o->socket = argv[2];
	if (outlet_settings_read(argv[1], kind, &o->s, &e) == 0 &&
	    ledger_open(o->state_fd, &o->ledger, &o->new_ledger) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", o->program, e.text);
	return 1;
}

void outlet_run(struct outlet *o, void (*tell)(struct outlet *o))
{
	put_down(o); /* written before the first look: the program runs */
	for (;; sleep(LOOK_S)) {
		look_at_alarms(o);
		/* The ledger is saved before sending, so that a restart at worst repeats a mail or
		 * an inform with the same number. If the disk is full, sending goes on all the
		 * same. */
		outlet_save(o);
		put_down(o);
		if (!is_due(o))
			continue;
		o->tried = false;
		tell(o);
		outlet_save(o);
		put_down(o);
	}
}
