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
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "mgmt/inform/inform.h"
#include "mgmt/notify/outlet.h"
#include "mgmt/state/read.h"

#define AT_ONCE 50u /* informs between two looks */
/* seconds of a round: three attempts to find the receiver's engine, and three to inform it */
#define ROUND_S 12u
#define TOLD 1
#define KEY_DIGEST 8u /* bytes */

/* One round: how many informs were sent, and why it stopped. */
struct round {
	struct outlet *o;
	unsigned told;
	char why[OUTLET_WHY];
};

static struct informer *informer;

/* Returns a short key unchanged. Of a long key it keeps the beginning and adds a digest of the
 * whole, so that two alarms never have the same key. */
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

static bool tell_one(const struct outlet *o, const json_t *w, uint64_t dropped, struct err *e)
{
	const char *what = js(w, "what");
	char code[40], key[INFORM_KEY + 1];
	struct inform i = { .what = strcmp(what, "begin") == 0 ? INFORM_RAISED
				    : strcmp(what, "end") == 0 ? INFORM_CLEARED
							       : INFORM_RECORDED,
			    .site = o->site,
			    .code = code,
			    .key = short_key(js(w, "key"), key),
			    .sentence = js(w, lang_name(o->s.lang)),
			    .grave = jb(w, "grave"),
			    .when = js(w, "when"),
			    .generation = (uint32_t)ju(w, "generation"),
			    .serial = (uint32_t)ju(w, "serial"),
			    .dropped = (uint32_t)dropped };

	/* The kind: the first word of the key. */
	snprintf(code, sizeof(code), "%.*s", (int)strcspn(i.key, " "), i.key);
	return informer_send(informer, &i, e);
}

/* Runs in the child. Writes TOLD for each acknowledged inform, and goes on when the parent has
 * saved that; at the end writes the reason why the next inform failed. */
static void tell_all(void *of, int to)
{
	const struct outlet *o = ((const struct round *)of)->o;
	uint8_t told = TOLD;
	struct err e = { 0 };
	bool good = informer_open(informer, &e);

	for (size_t n = 0; good && n < AT_ONCE && n < ledger_waiting(&o->ledger); n++) {
		good = tell_one(o, ledger_at(&o->ledger, n), n == 0 ? ledger_dropped(&o->ledger) : 0, &e);
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

/* An acknowledged inform is saved as sent before the next one goes out, so that it is not repeated
 * if this program ends. If the disk is full, it may be repeated. */
static bool hear_acknowledged(void *of, uint8_t byte)
{
	struct round *r = of;
	size_t n = strlen(r->why);

	if (byte == TOLD && ledger_waiting(&r->o->ledger) > 0) {
		ledger_first_told(&r->o->ledger, clock_wall_s());
		r->told++;
		/* If this fails, it is tried again at the next look. */
		outlet_save(r->o);
		return true;
	}
	if (n + 1 < sizeof(r->why))
		r->why[n] = (char)byte;
	return false;
}

/* Two lines: the authentication passphrase and the encryption passphrase. */
static struct informer *with_keys(const struct outlet *o, struct err *e)
{
	char auth[PASSPHRASE_MOST], privacy[PASSPHRASE_MOST];
	uint8_t engine[ENGINE_BYTES];
	struct informer *i = NULL;

	outlet_credential("passphrases", 0, auth, sizeof(auth));
	outlet_credential("passphrases", 1, privacy, sizeof(privacy));
	if (*auth == '\0' || *privacy == '\0')
		err_set(e, -ENOENT, "no passphrases: /etc/sekisho/snmp-passphrases");
	else if (engine_id(o->state_fd, engine, e) == 0)
		i = informer_new(&o->s, engine, auth, privacy, e);
	explicit_bzero(auth, sizeof(auth));
	explicit_bzero(privacy, sizeof(privacy));
	return i;
}

static void tell_by_snmp(struct outlet *o)
{
	struct round round = { .o = o };
	struct err e = { 0 };
	int r;

	/* If the keys could not be made, this is tried again: a disk that was full at the start may
	 * have room for the engine's number later. */
	if (informer == NULL && (informer = with_keys(o, &e)) == NULL) {
		outlet_failed(o, e.text);
		return;
	}
	r = child_run(ROUND_S, tell_all, hear_acknowledged, &round, &e);
	/* A slow receiver is no failure. */
	if (round.why[0] == '\0' && (r == 0 || (r == -ETIMEDOUT && round.told > 0)))
		outlet_well(o);
	else
		outlet_failed(o, round.why[0] != '\0' ? round.why : e.text);
}

int main(int argc, char **argv)
{
	struct outlet o = { .program = "sekisho-inform" };
	int r = outlet_open(&o, OUTLET_SNMP, argc, argv);

	if (r == 0)
		outlet_run(&o, tell_by_snmp);
	return r;
}
