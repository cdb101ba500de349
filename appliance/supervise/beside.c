/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of box/beside.h, in the run folder: as the generation in force says, whichever way it came there, and gone with it. A file that
 * says the same already is left alone, since its program begins anew whenever it changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/box/authority.h"
#include "appliance/box/beside.h"
#include "appliance/box/handed.h"
#include "appliance/supervise/supervise.h"

#define CHRONY "time.conf"   /* sekisho-time.service */
#define RSYSLOG "log.conf"   /* sekisho-log.service */
#define UPDATE "update.conf" /* sekisho-fetch */
#define NUT "ups.conf"	     /* sekisho-ups.service */
#define NOTIFY "notify.conf" /* sekisho-notify.service */
#define INFORM "inform.conf" /* sekisho-inform.service */

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
	n = beside_update(s->now->ir, s->o->admin_netns, text);
	put_one(s, UPDATE, text, n);
	n = beside_ups(s->now->ir, text);
	put_one(s, NUT, text, n);
	n = beside_mail(s->now->ir, s->o->lang, text);
	put_one(s, NOTIFY, text, n);
	n = beside_snmp(s->now->ir, s->o->lang, text);
	put_one(s, INFORM, text, n);
}

bool beside_ready(const struct ir *ir, struct sentence *ret)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].ca[0] != '\0' && !authority_ready(ir->peers[i].ca, ret))
			return false;
	return true;
}

/* ---- how far the records went -------------------------------------------------------------------------------------- */

#define NOTES "%s-log" /* beside the daemon's own: the StateDirectory= of sekisho-log.service */

static int folder(int dirfd, const char *path)
{
	return openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int look(const struct supervisor *s, struct handed *ret)
{
	int journal = folder(s->state_fd, "journal"), notes, r;
	char path[PATH_MAX];
	struct err e;

	if (journal < 0)
		return -errno;
	snprintf(path, sizeof(path), NOTES, s->o->state);
	notes = folder(AT_FDCWD, path);
	/* Where it was never started there is none. */
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

/* The time of a record is text already; empty is none. */
static json_t *text_or_null(const char *text)
{
	return *text != '\0' ? json_text(text) : json_null();
}

json_t *json_log(const struct supervisor *s)
{
	const struct ir_peer *p = log_server(s->now->ir);
	bool sends = p != NULL && p->ca[0] != '\0';
	struct handed h = { .first = 0 };
	json_t *j;

	if (p == NULL)
		return json_null();
	j = json_pack("{s:o, s:b}", "server", json_endpoint(&p->address, p->port), "sends", (int)sends);
	if (!sends)
		return j;
	if (look(s, &h) < 0) {
		json_object_set_new(j, "waiting", json_null());
		return j;
	}
	json_object_set_new(j, "waiting", json_integer((json_int_t)h.waiting));
	json_object_set_new(j, "next", h.next != 0 ? json_integer((json_int_t)h.next) : json_null());
	json_object_set_new(j, "since", text_or_null(h.since));
	json_object_set_new(j, "last", json_integer((json_int_t)h.last));
	json_object_set_new(j, "noted", h.noted_ns != 0 ? json_time(h.noted_ns) : json_null());
	/* Before these are only packed ones, of which nobody knows how far they went. */
	json_object_set_new(j, "unsent_before",
			    h.older && h.next == h.first ? json_integer((json_int_t)h.first) : json_null());
	return j;
}
