/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-notify: looks at the box every two seconds, as anybody who asks for its status, and at its grave records; tells by mail what is
 * wrong, since when, and when it is over. The first at once, then at most one mail in ten minutes, with all that came meanwhile. Started by
 * sekisho-notify.service in the admin namespace, as a user that may do nothing else; the daemon reads how it fares in the file that it puts down.
 *   sekisho-notify SETTINGS CONTROL-SOCKET     with STATE_DIRECTORY, RUNTIME_DIRECTORY, and perhaps CREDENTIALS_DIRECTORY/password
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "mgmt/notify/ask.h"
#include "mgmt/notify/ledger.h"
#include "mgmt/notify/mail.h"
#include "mgmt/notify/settings.h"
#include "mgmt/state/alarms.h"
#include "mgmt/words/sentence.h"

#define LOOK_S 2
#define ABSENT_LOOKS 5u /* of a daemon: a new start takes less */
#define PAGE 100u
#define BACK_OFF_S 5u
#define BACK_OFF_MOST_S 300u
#define PASSWORD_MOST 256u
#define SECOND 1000000000ull
#define WHY 110 /* as appliance/box/said.h has room for */

struct notify {
	struct notify_settings s;
	const char *socket;
	char password[PASSWORD_MOST], site[100];
	int state_fd, run_fd;
	struct ledger ledger;
	bool new_ledger;
	unsigned absent;	     /* looks in a row without an answer */
	uint64_t next_s, back_off_s; /* boot time; seconds */
	uint64_t failing_s;	     /* boot time of the first failure in a row, 0 = none */
	char why[WHY];
};

static uint64_t up_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec + 1; /* 0 is no time */
}

static uint64_t wall_s(void)
{
	return clock_wall_ns() / SECOND;
}

/* One line without an end; "-" is what the unit has where there is none. */
static void password_read(struct notify *n)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct err e = { 0 };
	uint8_t *text = NULL;
	size_t size = 0;

	if (fd < 0)
		return;
	if (file_read(fd, "password", PASSWORD_MOST - 1, &text, &size, &e) == 0) {
		size = strcspn((const char *)text, "\r\n");
		memcpy(n->password, text, size);
		if (strcmp(n->password, "-") == 0)
			n->password[0] = '\0';
		explicit_bzero(text, size);
	}
	free(text);
	close(fd);
}

/* ---- looking ----------------------------------------------------------------------------------------------------------- */

static void take_records(struct notify *n)
{
	struct msg_body q = { MSG_EVENTS, .events = { .after = ledger_after(&n->ledger), .most = PAGE } };
	json_t *answer;

	if (!event_filter_set(&q.events.filter, FILTER_SEVERITY, "serious"))
		return;
	answer = notify_ask(n->socket, &q);
	for (size_t i = 0; i < json_array_size(ja(answer, "events")); i++) {
		const json_t *e = json_array_get(ja(answer, "events"), i);
		char *en = event_sentence(e, LANG_EN), *japanese = event_sentence(e, LANG_JA);

		ledger_record(&n->ledger, js(e, "time"), en != NULL ? en : "", japanese != NULL ? japanese : "");
		free(en);
		free(japanese);
		if (ju(e, "seq") > ledger_after(&n->ledger))
			ledger_set_after(&n->ledger, ju(e, "seq"));
	}
	if (ju(answer, "next") > ledger_after(&n->ledger))
		ledger_set_after(&n->ledger, ju(answer, "next"));
	json_decref(answer);
}

static void look(struct notify *n)
{
	json_t *status = notify_ask(n->socket, &(struct msg_body){ .type = MSG_STATUS }), *alarms,
	       *now = json_time(clock_wall_ns());

	if (status == NULL) {
		/* What was wrong is not over because nobody answers. */
		if (++n->absent >= ABSENT_LOOKS) {
			alarms = json_deep_copy(json_object_get(n->ledger.all, "alarms"));
			(void)json_array_append_new(alarms, alarm_of_no_daemon());
			ledger_look(&n->ledger, alarms, json_string_value(now));
			json_decref(alarms);
		}
	} else {
		n->absent = 0;
		snprintf(n->site, sizeof(n->site), "%s", js(ja(status, "site"), "name"));
		/* What was recorded before anybody was told by mail is no news. */
		if (n->new_ledger)
			ledger_set_after(&n->ledger, ju(ja(status, "journal"), "records"));
		n->new_ledger = false;
		alarms = alarms_find(status);
		ledger_look(&n->ledger, alarms, json_string_value(now));
		json_decref(alarms);
		take_records(n);
	}
	json_decref(now);
	json_decref(status);
}

/* ---- telling ----------------------------------------------------------------------------------------------------------- */

static bool due(const struct notify *n)
{
	uint64_t sent = ledger_sent_s(&n->ledger), now = wall_s();

	/* A clock that was set back does not keep anybody waiting. */
	return ledger_waiting(&n->ledger) > 0 && up_s() >= n->next_s && (sent > now || now - sent >= n->s.every_s);
}

static void failed(struct notify *n, const char *why)
{
	if (n->failing_s == 0 || strcmp(n->why, why) != 0)
		fprintf(stderr, "sekisho-notify: %s\n", why);
	if (n->failing_s == 0)
		n->failing_s = up_s();
	snprintf(n->why, sizeof(n->why), "%s", why);
	n->back_off_s = n->back_off_s == 0 ? BACK_OFF_S : n->back_off_s * 2;
	if (n->back_off_s > BACK_OFF_MOST_S)
		n->back_off_s = BACK_OFF_MOST_S;
	n->next_s = up_s() + n->back_off_s;
}

static void tell(struct notify *n)
{
	struct mail m = { .number = ledger_number(&n->ledger), .now_s = wall_s() };
	char *text = ledger_text(&n->ledger, n->s.lang), *subject = ledger_subject(&n->ledger, n->s.lang, n->site);
	struct err e = { 0 };

	m.text = text;
	m.subject = subject;
	if (*n->s.user != '\0' && n->password[0] == '\0') {
		failed(n, "no password: /etc/sekisho/mail-password");
	} else if (text == NULL || subject == NULL) {
		failed(n, "no memory");
	} else if (!mail_send(&n->s, n->password, &m, &e)) {
		failed(n, e.text);
	} else {
		ledger_told(&n->ledger, m.now_s);
		n->failing_s = n->back_off_s = 0;
	}
	free(text);
	free(subject);
}

/* For the daemon, which takes no word of it on trust (appliance/supervise/mail.c). */
static void put_down(struct notify *n)
{
	char text[400], address[ADDR_TEXT], why[WHY], since[24] = "-";
	struct err e = { 0 };
	int size;

	addr_text(&n->s.address, address);
	for (size_t i = 0; i < sizeof(why); i++)
		why[i] = n->why[i] >= ' ' && n->why[i] <= '~' ? n->why[i] : (char)(n->why[i] == '\0' ? '\0' : '?');
	if (n->failing_s != 0)
		snprintf(since, sizeof(since), "%llu", (unsigned long long)(n->failing_s - 1));
	size = snprintf(text, sizeof(text),
			"at %llu\nof %s %u\nstate %s\nsince %s\nwaiting %zu\ndropped %llu\nwhy %s\n",
			(unsigned long long)(up_s() - 1), address, (unsigned)n->s.port,
			n->failing_s != 0 ? "failing" : "good", since, ledger_waiting(&n->ledger),
			(unsigned long long)ledger_dropped(&n->ledger), n->failing_s != 0 ? why : "-");
	if (size <= 0 || (size_t)size >= sizeof(text) || atomic_write(n->run_fd, "state", text, (size_t)size, &e) < 0)
		fprintf(stderr, "sekisho-notify: %s\n", e.text);
}

static void go_on(struct notify *n)
{
	struct err e = { 0 };

	look(n);
	/* First on the disk, then told: a new start repeats a mail at worst, of the same number. */
	if (ledger_save(n->state_fd, &n->ledger, &e) < 0)
		failed(n, e.text);
	put_down(n);
	if (!due(n))
		return;
	tell(n);
	put_down(n);
	if (ledger_save(n->state_fd, &n->ledger, &e) < 0)
		failed(n, e.text);
}

static int folder(const char *variable)
{
	const char *path = getenv(variable);

	return path != NULL ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

int main(int argc, char **argv)
{
	struct notify n = { .state_fd = folder("STATE_DIRECTORY"), .run_fd = folder("RUNTIME_DIRECTORY") };
	struct err e = { 0 };

	if (argc != 3 || n.state_fd < 0 || n.run_fd < 0) {
		fprintf(stderr, "sekisho-notify SETTINGS CONTROL-SOCKET: started by sekisho-notify.service\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	n.socket = argv[2];
	if (notify_settings_read(argv[1], &n.s, &e) < 0 || ledger_open(n.state_fd, &n.ledger, &n.new_ledger) < 0 ||
	    !mail_begin()) {
		fprintf(stderr, "sekisho-notify: %s\n", e.text);
		return 1;
	}
	password_read(&n);
	for (;;) {
		go_on(&n);
		sleep(LOOK_S);
	}
}
