/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-notify: every two seconds reads the box's status, and its grave records. Sends by mail
 * what is wrong, since when, and when it is over: the first at once, then at most one mail in ten
 * minutes with everything that came meanwhile. Started by sekisho-notify.service in the admin
 * namespace as a user without rights. Writes its state to a file, which the daemon reads.
 *
 * sekisho-notify SETTINGS CONTROL-SOCKET, with STATE_DIRECTORY, RUNTIME_DIRECTORY, and optionally
 * CREDENTIALS_DIRECTORY/password
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mgmt/notify/fare.h"
#include "mgmt/notify/look.h"
#include "mgmt/notify/mail.h"
#include "mgmt/notify/settings.h"

#define PASSWORD_MOST 256u

struct notify {
	struct notify_settings s;
	struct look look;
	struct fare fare;
	char password[PASSWORD_MOST];
	int state_fd, run_fd;
	struct ledger ledger;
};

static bool due(const struct notify *n)
{
	uint64_t sent = ledger_sent_s(&n->ledger), now = fare_wall_s();

	/* A clock that was set back must not delay a mail. */
	return ledger_waiting(&n->ledger) > 0 && fare_due(&n->fare) && (sent > now || now - sent >= n->s.every_s);
}

static void tell(struct notify *n)
{
	struct mail m = { .number = ledger_number(&n->ledger), .now_s = fare_wall_s() };
	char *text = ledger_text(&n->ledger, n->s.lang, n->look.contact),
	     *subject = ledger_subject(&n->ledger, n->s.lang, n->look.site);
	struct err e = { 0 };

	m.text = text;
	m.subject = subject;
	if (*n->s.user != '\0' && n->password[0] == '\0') {
		fare_failed(&n->fare, "no password: /etc/sekisho/mail-password");
	} else if (text == NULL || subject == NULL) {
		fare_failed(&n->fare, "no memory");
	} else if (!mail_send(&n->s, n->password, &m, &e)) {
		fare_failed(&n->fare, e.text);
	} else {
		ledger_told(&n->ledger, m.now_s);
		fare_well(&n->fare);
	}
	free(text);
	free(subject);
}

static void put_down(const struct notify *n)
{
	fare_put_down(&n->fare, n->run_fd, &n->s.address, n->s.port, &n->ledger);
}

static void save(struct notify *n)
{
	struct err e = { 0 };

	fare_kept(&n->fare, ledger_save(n->state_fd, &n->ledger, &e) < 0 ? e.text : NULL);
}

static void go_on(struct notify *n)
{
	look(&n->look, &n->ledger);
	/* Saved before it is sent: a new start repeats a mail at worst, with the same number. A
	 * full disk holds no mail back. */
	save(n);
	put_down(n);
	if (!due(n))
		return;
	tell(n);
	save(n);
	put_down(n);
}

int main(int argc, char **argv)
{
	struct notify n = { .state_fd = fare_folder("STATE_DIRECTORY"),
			    .run_fd = fare_folder("RUNTIME_DIRECTORY"),
			    .fare.program = "sekisho-notify" };
	struct err e = { 0 };

	if (argc != 3 || n.state_fd < 0 || n.run_fd < 0) {
		fprintf(stderr, "sekisho-notify SETTINGS CONTROL-SOCKET: started by sekisho-notify.service\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	n.look.socket = argv[2];
	if (notify_settings_read(argv[1], &n.s, &e) < 0 || ledger_open(n.state_fd, &n.ledger, &n.look.new_ledger) < 0 ||
	    !mail_begin()) {
		fprintf(stderr, "sekisho-notify: %s\n", e.text);
		return 1;
	}
	fare_credential("password", 0, n.password, sizeof(n.password));
	for (;;) {
		go_on(&n);
		sleep(LOOK_S);
	}
}
