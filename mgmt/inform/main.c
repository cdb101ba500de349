/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-inform: looks at the box as sekisho-notify does, and sends by SNMP what is wrong and when
 * it is over, one inform for each, in order. An inform without an acknowledgement stays on the disk
 * and is sent again. A child process reads the receiver's answers, for one round. Started by
 * sekisho-inform.service in the admin namespace as a user without rights; the daemon reads its
 * state from the file that it writes.
 *
 * sekisho-inform SETTINGS CONTROL-SOCKET, with STATE_DIRECTORY, RUNTIME_DIRECTORY, and
 * CREDENTIALS_DIRECTORY/passphrases
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/sha256.h"
#include "mgmt/inform/child.h"
#include "mgmt/inform/inform.h"
#include "mgmt/notify/fare.h"
#include "mgmt/notify/look.h"
#include "mgmt/state/read.h"

#define AT_ONCE 50u /* informs between two looks */
/* seconds of a round: three attempts to find the receiver's engine, and three to inform it */
#define ROUND_S 12u
#define TOLD 1
#define KEY_DIGEST 8u /* bytes */

struct teller {
	struct inform_settings s;
	struct look look;
	struct fare fare;
	struct informer *informer;
	int state_fd, run_fd;
	struct ledger ledger;
	/* Of a round: how many were sent, and why it stopped. */
	unsigned told;
	char why[FARE_WHY];
};

/* A short key as in the ledger; of a long one the beginning and a digest of the whole: two alarms
 * never have the same. */
static const char *short_key(const char *key, char out[INFORM_KEY + 1])
{
	size_t n = strlen(key), keep = INFORM_KEY - 2 * KEY_DIGEST - 1;
	uint8_t digest[32];

	if (n <= INFORM_KEY)
		return key;
	while (keep > 0 && ((uint8_t)key[keep] & 0xc0) == 0x80)
		keep--;
	memcpy(out, key, keep);
	out[keep] = '~';
	sha256(key, n, digest);
	hex_text(digest, KEY_DIGEST, out + keep + 1);
	return out;
}

static bool tell_one(const struct teller *t, const json_t *w, uint64_t dropped, struct err *e)
{
	const char *what = js(w, "what");
	char code[40], key[INFORM_KEY + 1];
	struct inform i = { .what = strcmp(what, "begin") == 0 ? INFORM_RAISED
				    : strcmp(what, "end") == 0 ? INFORM_CLEARED
							       : INFORM_RECORDED,
			    .site = t->look.site,
			    .code = code,
			    .key = short_key(js(w, "key"), key),
			    .sentence = js(w, lang_name(t->s.lang)),
			    .grave = jb(w, "grave"),
			    .when = js(w, "when"),
			    .generation = (uint32_t)ju(w, "generation"),
			    .serial = (uint32_t)ju(w, "serial"),
			    .dropped = (uint32_t)dropped };

	/* The kind: the first word of the key. */
	snprintf(code, sizeof(code), "%.*s", (int)strcspn(i.key, " "), i.key);
	return informer_send(t->informer, &i, e);
}

/* Runs in the child. Writes TOLD for each acknowledged inform, and goes on when the parent has
 * saved that; at the end writes the reason why the next inform failed. */
static void tell_all(void *of, int to)
{
	const struct teller *t = of;
	uint8_t told = TOLD;
	struct err e = { 0 };
	bool good = informer_open(t->informer, &e);

	for (size_t n = 0; good && n < AT_ONCE && n < ledger_waiting(&t->ledger); n++) {
		good = tell_one(t, ledger_at(&t->ledger, n), n == 0 ? ledger_dropped(&t->ledger) : 0, &e);
		if (good && (write(to, &told, 1) != 1 || read(to, &told, 1) != 1))
			return;
		told = TOLD;
	}
	/* The library's texts may contain what strangers sent. */
	for (char *c = e.text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	if (!good && write(to, e.text, strlen(e.text)) < 0)
		return;
}

static void save(struct teller *t)
{
	struct err e = { 0 };

	fare_kept(&t->fare, ledger_save(t->state_fd, &t->ledger, &e) < 0 ? e.text : NULL);
}

/* An acknowledged inform is saved before the next, so that it is not repeated when this program
 * ends, unless the disk is full. */
static bool hear(void *of, uint8_t byte)
{
	struct teller *t = of;
	size_t n = strlen(t->why);

	if (byte == TOLD && ledger_waiting(&t->ledger) > 0) {
		ledger_first_told(&t->ledger, fare_wall_s());
		t->told++;
		/* If this fails, it is tried again at the next look. */
		save(t);
		return true;
	}
	if (n + 1 < sizeof(t->why))
		t->why[n] = (char)byte;
	return false;
}

static void tell(struct teller *t)
{
	struct err e = { 0 };
	int r;

	t->told = 0;
	memset(t->why, 0, sizeof(t->why));
	r = child_run(ROUND_S, tell_all, hear, t, &e);
	/* A slow receiver is no failure. */
	if (t->why[0] == '\0' && (r == 0 || (r == -ETIMEDOUT && t->told > 0)))
		fare_well(&t->fare);
	else
		fare_failed(&t->fare, t->why[0] != '\0' ? t->why : e.text);
}

static void put_down(const struct teller *t)
{
	fare_put_down(&t->fare, t->run_fd, &t->s.address, t->s.port, &t->ledger);
}

/* Two lines: the authentication passphrase and the encryption passphrase. */
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

static void go_on(struct teller *t)
{
	struct err e = { 0 };

	look(&t->look, &t->ledger);
	/* Saved before it is sent: a new start repeats an inform at worst, with the same serial. A
	 * full disk holds no inform back. */
	save(t);
	put_down(t);
	if (ledger_waiting(&t->ledger) == 0 || !fare_due(&t->fare))
		return;
	/* Without keys it is tried again: a disk that was full at the start may have room for the
	 * engine's number later. */
	if (t->informer == NULL)
		t->informer = with_keys(t, &e);
	if (t->informer != NULL)
		tell(t);
	else
		fare_failed(&t->fare, e.text);
	put_down(t);
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
	if (inform_settings_read(argv[1], &t.s, &e) < 0 || ledger_open(t.state_fd, &t.ledger, &t.look.new_ledger) < 0) {
		fprintf(stderr, "sekisho-inform: %s\n", e.text);
		return 1;
	}
	put_down(&t); /* written before the first look: the program runs */
	for (;;) {
		go_on(&t);
		sleep(LOOK_S);
	}
}
