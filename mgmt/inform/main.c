/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-inform: looks at the box as sekisho-notify does, and tells by SNMP what is wrong and when it is over, one inform for each, in order. What the
 * receiver has not acknowledged waits on the disk and is told again. Started by sekisho-inform.service in the admin namespace, as a user that may do
 * nothing else; the daemon reads how it fares in the file that it puts down.
 *   sekisho-inform SETTINGS CONTROL-SOCKET     with STATE_DIRECTORY, RUNTIME_DIRECTORY, and CREDENTIALS_DIRECTORY/passphrases
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mgmt/inform/inform.h"
#include "mgmt/notify/fare.h"
#include "mgmt/notify/look.h"
#include "mgmt/state/read.h"

#define AT_ONCE 50u /* informs between two looks */

struct teller {
	struct inform_settings s;
	struct look look;
	struct fare fare;
	struct informer *informer;
	int state_fd, run_fd;
	struct ledger ledger;
};

static bool tell_one(struct teller *t, struct err *e)
{
	const json_t *w = ledger_first(&t->ledger);
	const char *what = js(w, "what");
	char code[40];
	struct inform i = { .what = strcmp(what, "begin") == 0 ? INFORM_RAISED
				    : strcmp(what, "end") == 0 ? INFORM_CLEARED
							       : INFORM_RECORDED,
			    .site = t->look.site,
			    .code = code,
			    .key = js(w, "key"),
			    .sentence = js(w, lang_name(t->s.lang)),
			    .grave = jb(w, "grave"),
			    .when = js(w, "when"),
			    .generation = (uint32_t)ju(w, "generation"),
			    .serial = (uint32_t)ju(w, "serial"),
			    .dropped = (uint32_t)ledger_dropped(&t->ledger) };

	/* The kind of thing: the first word of what it is known by. */
	snprintf(code, sizeof(code), "%.*s", (int)strcspn(i.key, " "), i.key);
	if (!informer_send(t->informer, &i, e))
		return false;
	ledger_first_told(&t->ledger, fare_wall_s());
	/* What was acknowledged is not told again, whatever ends this program now. */
	return ledger_save(t->state_fd, &t->ledger, e) == 0;
}

static void tell(struct teller *t)
{
	struct err e = { 0 };
	bool good = informer_open(t->informer, &e);

	for (unsigned n = 0; good && n < AT_ONCE && ledger_waiting(&t->ledger) > 0; n++)
		good = tell_one(t, &e);
	informer_close(t->informer);
	if (good)
		fare_well(&t->fare);
	else
		fare_failed(&t->fare, e.text);
}

static void put_down(const struct teller *t)
{
	fare_put_down(&t->fare, t->run_fd, &t->s.address, t->s.port, &t->ledger);
}

static void go_on(struct teller *t, const char *no_keys)
{
	struct err e = { 0 };

	look(&t->look, &t->ledger);
	/* First on the disk, then told: a new start repeats an inform at worst, of the same serial. */
	if (ledger_save(t->state_fd, &t->ledger, &e) < 0)
		fare_failed(&t->fare, e.text);
	put_down(t);
	if (ledger_waiting(&t->ledger) == 0 || !fare_due(&t->fare))
		return;
	if (t->informer != NULL)
		tell(t);
	else
		fare_failed(&t->fare, no_keys);
	put_down(t);
}

/* Two lines: the passphrase that authenticates, and the one that encrypts. */
static struct informer *with_keys(const struct teller *t, struct err *e)
{
	char auth[PASSPHRASE_MOST], privacy[PASSPHRASE_MOST];
	uint8_t engine[ENGINE_BYTES];
	struct informer *i = NULL;

	fare_credential("passphrases", 0, auth, sizeof(auth));
	fare_credential("passphrases", 1, privacy, sizeof(privacy));
	if (*auth == '\0' || *privacy == '\0')
		err_set(e, -ENOENT, "no passphrases: /etc/sekisho/snmp-passphrases");
	else if (engine_id(t->state_fd, engine, e) == 0)
		i = informer_new(&t->s, engine, auth, privacy, e);
	explicit_bzero(auth, sizeof(auth));
	explicit_bzero(privacy, sizeof(privacy));
	return i;
}

int main(int argc, char **argv)
{
	struct teller t = { .state_fd = fare_folder("STATE_DIRECTORY"),
			    .run_fd = fare_folder("RUNTIME_DIRECTORY"),
			    .fare.program = "sekisho-inform" };
	struct err e = { 0 };

	if (argc != 3 || t.state_fd < 0 || t.run_fd < 0) {
		fprintf(stderr, "sekisho-inform SETTINGS CONTROL-SOCKET: started by sekisho-inform.service\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	t.look.socket = argv[2];
	if (inform_settings_read(argv[1], &t.s, &e) < 0 ||
	    ledger_open(t.state_fd, &t.ledger, &t.look.new_ledger) < 0) {
		fprintf(stderr, "sekisho-inform: %s\n", e.text);
		return 1;
	}
	t.informer = with_keys(&t, &e);
	for (;;) {
		go_on(&t, e.text);
		sleep(LOOK_S);
	}
}
