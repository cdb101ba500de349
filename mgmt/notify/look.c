/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/notify/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/json.h"
#include "appliance/base/memfd.h"
#include "appliance/wire/msg.h"
#include "mgmt/state/alarms.h"
#include "mgmt/words/event.h"

/* One question to the daemon over its control socket, which allows this program's user to ask for
 * the state and the records. */

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
static json_t *notify_ask(const char *socket, const struct msg_body *question)
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

/* looks without an answer until the missing daemon is an alarm; a restart takes fewer */
#define ABSENT_LOOKS 5u
#define PAGE 100u

static void take_records(const struct look *k, struct ledger *l)
{
	struct msg_body q = { MSG_EVENTS, .events = { .after = ledger_after(l), .most = PAGE } };
	json_t *answer;

	if (!event_filter_set(&q.events.filter, FILTER_SEVERITY, "serious"))
		return;
	answer = notify_ask(k->socket, &q);
	for (size_t i = 0; i < json_array_size(ja(answer, "events")); i++) {
		const json_t *e = json_array_get(ja(answer, "events"), i);
		char *en = event_sentence(e, LANG_EN), *japanese = event_sentence(e, LANG_JA);

		/* the alarm itself is sent, so its record is not */
		if (strcmp(js(e, "kind"), "attack") != 0 || strncmp(js(e, "code"), "rang", 4) != 0)
			ledger_record(l, ju(e, "seq"), js(e, "time"), en != NULL ? en : "",
				      japanese != NULL ? japanese : "");
		free(en);
		free(japanese);
		if (ju(e, "seq") > ledger_after(l))
			ledger_set_after(l, ju(e, "seq"));
		ledger_set_mark(l, ju(e, "seq"), js(e, "hash"));
	}
	if (ju(answer, "next") > ledger_after(l))
		ledger_set_after(l, ju(answer, "next"));
	json_decref(answer);
}

/* 1: the known record is still there; 0: it is another one, or missing; -1: no answer. */
static int has_mark(const struct look *k, const struct ledger *l)
{
	json_t *answer = notify_ask(
		k->socket, &(struct msg_body){ MSG_EVENTS, .events = { .after = ledger_mark(l) - 1, .most = 1 } });
	const json_t *e = json_array_get(ja(answer, "events"), 0);
	int r = answer == NULL ? -1 : ju(e, "seq") == ledger_mark(l) && strcmp(js(e, "hash"), ledger_mark_hash(l)) == 0;

	json_decref(answer);
	return r;
}

/*
 * After a restart of the records, numbers begin at 1 again, the first record tells why, and all
 * records are new. This is checked after each look without an answer, and when there are fewer
 * records than before. After a power cut, only the last records that were not on the disk yet may
 * be missing: then reading continues after the record that is still known. False: not known yet.
 */
static bool hold_to_records(struct look *k, struct ledger *l, const json_t *journal)
{
	uint64_t newest = ju(journal, "records");
	bool fewer = newest < ledger_after(l);
	int same = !fewer;

	if (!json_is_integer(json_object_get(journal, "records")))
		return false;
	if (k->new_ledger)
		ledger_set_after(l, newest);
	else if (!k->sure || fewer) {
		if (ledger_mark(l) != 0)
			same = has_mark(k, l);
		if (same < 0)
			return false;
		if (same == 0) {
			ledger_set_after(l, 0);
			ledger_set_mark(l, 0, "");
		} else if (fewer) {
			ledger_set_after(l, ledger_mark(l));
		}
	}
	k->new_ledger = false;
	k->sure = true;
	if (ledger_mark(l) == 0 && newest > 0)
		ledger_set_mark(l, newest, js(journal, "head"));
	return true;
}

void look(struct look *k, struct ledger *l)
{
	json_t *status = notify_ask(k->socket, &(struct msg_body){ .type = MSG_STATUS }), *alarms,
	       *now = json_time(clock_wall_ns());

	if (status == NULL) {
		k->sure = false;
		/* A missing answer does not end an alarm. */
		if (++k->absent >= ABSENT_LOOKS) {
			alarms = json_deep_copy(json_object_get(l->all, "alarms"));
			(void)json_array_append_new(alarms, alarm_of_no_daemon());
			ledger_look(l, alarms, json_string_value(now));
			json_decref(alarms);
		}
	} else {
		k->absent = 0;
		snprintf(k->site, sizeof(k->site), "%s", js(ja(status, "site"), "name"));
		snprintf(k->contact, sizeof(k->contact), "%s", js(ja(status, "site"), "contact"));
		ledger_generation(l, ju(ja(status, "generation"), "number"));
		alarms = alarms_find(status);
		ledger_look(l, alarms, json_string_value(now));
		json_decref(alarms);
		if (hold_to_records(k, l, ja(status, "journal")))
			take_records(k, l);
	}
	json_decref(now);
	json_decref(status);
}
