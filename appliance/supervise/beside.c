/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of box/beside.h, in the run folder: as the generation in force says, whichever way it came there, and gone with it. A file that
 * says the same already is left alone, since its program begins anew whenever it changes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/box/beside.h"
#include "appliance/supervise/authority.h"
#include "appliance/supervise/supervise.h"

#define CHRONY "time.conf" /* sekisho-time.service */
#define RSYSLOG "log.conf" /* sekisho-log.service */

static bool says(const struct supervisor *s, const char *name, const char *text, size_t n)
{
	uint8_t *there;
	size_t n_there;
	bool same;

	if (file_read(s->run_fd, name, BESIDE_TEXT, &there, &n_there, NULL) < 0)
		return false;
	same = n_there == n && memcmp(there, text, n) == 0;
	free(there);
	return same;
}

/* Read by programs that are other users; nothing in it is secret. */
static int put(const struct supervisor *s, const char *name, const char *text, int n, struct err *e)
{
	if (n < 0)
		return err_set(e, n, "settings of %s", name);
	if (n == 0)
		return unlinkat(s->run_fd, name, 0) < 0 && errno != ENOENT ? err_set(e, -errno, "remove %s", name) : 0;
	if (says(s, name, text, (size_t)n))
		return 0;
	return atomic_write_mode(s->run_fd, name, text, (size_t)n, 0644, e);
}

static void put_one(struct supervisor *s, const char *name, const char *text, int n)
{
	struct err e = { 0 };

	/* The rules are what counts, and they stand; it is tried again with the next generation or start. */
	if (put(s, name, text, n, &e) < 0)
		say(s, M_BESIDE_FAILED, name, e.text);
}

void beside_write(struct supervisor *s)
{
	char text[BESIDE_TEXT];
	int n = beside_chrony(s->now->ir, text);

	put_one(s, CHRONY, text, n);
	n = beside_rsyslog(s->now->ir, s->o->state, text);
	put_one(s, RSYSLOG, text, n);
}

bool beside_ready(const struct ir *ir, struct sentence *ret)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].ca[0] != '\0' && !authority_ready(ir->peers[i].ca, ret))
			return false;
	return true;
}
