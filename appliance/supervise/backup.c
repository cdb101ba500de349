/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "appliance/base/bundle.h"
#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/supervise/supervise.h"

#define LIMIT_NS 90000000000ull
#define ANSWER_BYTES (32u << 20)
#define TEXTS_ENOUGH (32u << 20) /* bytes: older generations are left out from here on */
#define TEXTS_MOST 512u

enum step { IDLE, WAITS_STATUS, WAITS_DEVICES, GENERATIONS, READY_TO_SEAL, SEALING };

struct backup {
	enum step step;
	struct asker asker;
	char by[USER_BY];
	bool given;	   /* the certificate was root's own */
	uint64_t serial;   /* of the question that it waits for */
	uint32_t id;	   /* ... of the sealer */
	uint64_t deadline; /* monotonic ns */
	uint64_t number;   /* the generation in force that it began with */
	uint64_t below;	   /* confirmed ones below this are still to come */
	uint8_t *certificate;
	size_t n_certificate, n_texts, bytes;
	struct source_text texts[TEXTS_MOST];
	char *owned[TEXTS_MOST]; /* what they point to */
};

int backup_open(struct supervisor *s, struct err *e)
{
	s->backup = calloc(1, sizeof(*s->backup));
	return s->backup != NULL ? 0 : err_set(e, -ENOMEM, "backups");
}

/* ---- ending --------------------------------------------------------------------------------------------------------- */

static void end(struct backup *b)
{
	free(b->certificate);
	for (size_t i = 0; i < b->n_texts; i++)
		free(b->owned[i]);
	*b = (struct backup){ .serial = b->serial };
}

/* Takes the sentence's reference. */
static void give_up(struct supervisor *s, int status, json_t *why)
{
	struct asker a = s->backup->asker;

	end(s->backup);
	answer_json(s, a, status, json_pack("{s:o}", "error", why));
}

static void refuse(struct supervisor *s, struct asker a, int status, json_t *why)
{
	answer_json(s, a, status, json_pack("{s:o}", "error", why));
}

/* ---- the certificate ------------------------------------------------------------------------------------------------- */

/* Who could write there would read every backup from then on: it is root's, and no link to somewhere else. */
static bool is_roots(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && st.st_size <= (off_t)BACKUP_CERTIFICATE_MOST;
}

static bool read_all(int fd, struct backup *b)
{
	ssize_t got = 0;

	b->certificate = malloc(BACKUP_CERTIFICATE_MOST);
	if (b->certificate == NULL)
		return false;
	while (b->n_certificate < BACKUP_CERTIFICATE_MOST &&
	       ((got = read(fd, b->certificate + b->n_certificate, BACKUP_CERTIFICATE_MOST - b->n_certificate)) > 0 ||
		(got < 0 && errno == EINTR)))
		b->n_certificate += got > 0 ? (size_t)got : 0;
	return got == 0;
}

/* NULL: it is there. Else why not. */
static json_t *site_certificate(struct backup *b)
{
	int fd = open(BACKUP_CERTIFICATE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), code = errno;
	json_t *why = NULL;

	if (fd < 0 && code == ENOENT)
		return json_sentence(M_BACKUP_NO_KEY, BACKUP_CERTIFICATE);
	if (fd < 0 || !is_roots(fd) || !read_all(fd, b))
		why = json_sentence(M_BACKUP_KEY_LOOSE, BACKUP_CERTIFICATE);
	if (fd >= 0)
		close(fd);
	return why;
}

static json_t *certificate_take(struct backup *b, int fd)
{
	struct err e = { 0 };

	b->given = fd >= 0;
	if (!b->given)
		return site_certificate(b);
	return memfd_read(fd, BACKUP_CERTIFICATE_MOST, &b->certificate, &b->n_certificate, &e) == 0
		       ? NULL
		       : json_sentence(M_BACKUP_NO_CERTIFICATE, "--to");
}

/* ---- what it is made of ------------------------------------------------------------------------------------------------ */

/* Takes `text`, malloc'd. */
static bool add(struct backup *b, const char *name, char *text, size_t n)
{
	if (text == NULL || b->n_texts == TEXTS_MOST) {
		free(text);
		return false;
	}
	b->owned[b->n_texts] = text;
	b->texts[b->n_texts++] = (struct source_text){ .name = name, .text = text, .size = n };
	b->bytes += n;
	return true;
}

/* Takes the reference. */
static bool add_json(struct backup *b, const char *name, json_t *j)
{
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	size_t n = text != NULL ? strlen(text) : 0;

	json_decref(j);
	return add(b, name, text, n);
}

static void ask(struct supervisor *s, enum step step)
{
	struct backup *b = s->backup;
	const struct msg_body list = { MSG_DEVICES, .devices = { .order = DEVICES_COPY, .reason = "" } };
	struct asker a = { .kind = ASKER_BACKUP, .serial = ++b->serial };

	b->step = step;
	if (step == WAITS_STATUS)
		collect_start(s, COLLECT_STATUS, a);
	else
		collect_pass(s, SLOT_JOURNAL, &list, a);
}

void backup_begin(struct supervisor *s, struct asker a, const char *by, int certificate)
{
	const struct generation_record *g = generation_find(&s->store, s->now->number);
	struct backup *b = s->backup;
	struct utsname host = { 0 };
	json_t *why;

	/* Root is not in a login's way, and not kept waiting by one. */
	if (b->step != IDLE && b->asker.login && !a.login) {
		backup_make_way(s);
		give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_ANOTHER));
	}
	if (b->step != IDLE) {
		refuse(s, a, ANSWER_CANNOT, json_sentence(M_BACKUP_ANOTHER));
		return;
	}
	why = certificate_take(b, certificate);
	if (why != NULL) {
		end(b);
		refuse(s, a, ANSWER_INVALID, why);
		return;
	}
	/* What may be gone in a moment is nothing to come back to. */
	if (g == NULL || g->state == GEN_WAITING) {
		end(b);
		refuse(s, a, ANSWER_CANNOT, json_sentence(g == NULL ? M_SHOW_NONE : M_BACKUP_TRIAL));
		return;
	}
	(void)uname(&host);
	b->asker = a;
	snprintf(b->by, sizeof(b->by), "%s", by);
	b->deadline = mono_ns() + LIMIT_NS;
	b->number = g->number;
	(void)add_json(b, "host", json_text(host.nodename));
	ask(s, WAITS_STATUS);
}

void backup_told(struct supervisor *s, struct asker a, int status, int fd)
{
	struct backup *b = s->backup;
	uint8_t *text = NULL;
	struct err e = { 0 };
	size_t n = 0;

	if (a.serial != b->serial || (b->step != WAITS_STATUS && b->step != WAITS_DEVICES))
		return;
	if (status == ANSWER_YES && fd >= 0 && memfd_read(fd, ANSWER_BYTES, &text, &n, &e) < 0)
		text = NULL;
	if (b->step == WAITS_STATUS) {
		if (text != NULL && add(b, "status", (char *)text, n))
			ask(s, WAITS_DEVICES);
		else
			give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_BROKEN));
		return;
	}
	/* Without a list of devices it is a backup all the same, and says so. */
	(void)(text != NULL ? add(b, "devices", (char *)text, n) : add_json(b, "devices", json_null()));
	b->bytes = 0;
	b->below = UINT64_MAX;
	b->step = GENERATIONS;
}

/* The one in force, then confirmed ones, the newest first; NULL: that is all. */
static const struct generation_record *next_one(const struct supervisor *s)
{
	const struct backup *b = s->backup;

	if (b->below == UINT64_MAX)
		return generation_find(&s->store, b->number);
	for (size_t i = s->store.n; i-- > 0 && b->bytes < TEXTS_ENOUGH && b->n_texts < TEXTS_MOST;) {
		const struct generation_record *g = &s->store.list[i];

		if (g->number < b->below && g->number != b->number && g->state == GEN_CONFIRMED)
			return g;
	}
	return NULL;
}

/* One in a turn: each is read from the disk. One that cannot be read any more is left out, unless it is the one in force. */
static void add_next(struct supervisor *s)
{
	const struct generation_record *g = next_one(s);
	struct backup *b = s->backup;
	bool first = b->below == UINT64_MAX;
	struct err e = { 0 };
	json_t *j;

	if (g == NULL && !first) {
		b->step = READY_TO_SEAL;
		return;
	}
	j = g != NULL ? json_kept(s, g, &e) : NULL;
	b->below = first ? UINT64_MAX - 1 : g->number;
	if (j == NULL && first)
		give_up(s, ANSWER_CANNOT, json_sentence(M_SHOW_UNREADABLE, (unsigned long long)b->number, e.text));
	else if (j != NULL)
		(void)add_json(b, "generation", j);
}

/* ---- the file --------------------------------------------------------------------------------------------------------- */

static int bundle_fd(const struct backup *b)
{
	size_t n = bundle_encode(b->texts, b->n_texts, NULL, 0);
	uint8_t *p = malloc(n);
	int fd = -ENOMEM;

	if (p != NULL && bundle_encode(b->texts, b->n_texts, p, n) == n)
		fd = memfd_sealed("sekisho-backup", p, n);
	free(p);
	return fd;
}

static void seal(struct supervisor *s)
{
	struct backup *b = s->backup;
	const struct msg_body m = { .type = MSG_SEAL };
	struct slot *sl = &s->slots[SLOT_COMPILE];
	int fds[2] = { memfd_sealed("sekisho-certificate", b->certificate, b->n_certificate), bundle_fd(b) };
	bool sent = false;

	if (fds[0] >= 0 && fds[1] >= 0) {
		roles_want(s, SLOT_COMPILE);
		b->id = ++s->next_id;
		sent = role_send(s, sl, b->id, &m, fds, 2);
		if (!sent && !slot_alive(sl))
			sl->state = SLOT_OFF;
	}
	for (size_t i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (sent)
		b->step = SEALING;
	else
		give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_BROKEN));
}

static void record(struct supervisor *s, const struct msg_sealed *m)
{
	struct event e = event_new(EVENT_POLICY, clock_wall_ns());
	char file[65], key[65];

	hex_text(m->digest, sizeof(m->digest), file);
	hex_text(m->key, sizeof(m->key), key);
	e.code = POLICY_BACKED_UP;
	e.value = s->backup->number;
	e.quantity = (uint32_t)m->bytes; /* of 96 MiB at most */
	event_say(&e, EVENT_BY, s->backup->by);
	event_say(&e, EVENT_OBJECT, file);
	event_say(&e, EVENT_AFTER, key);
	event_send(&s->events, &e);
}

void backup_sealed(struct supervisor *s, const struct msg *m)
{
	static const enum message troubles[SEAL_TROUBLES] = { [SEAL_NO_CERTIFICATE] = M_BACKUP_NO_CERTIFICATE,
							      [SEAL_PRIVATE_KEY] = M_BACKUP_PRIVATE,
							      [SEAL_KEY] = M_BACKUP_FAILED };
	const struct msg_sealed *said = &m->body.sealed;
	struct backup *b = s->backup;
	struct asker a = b->asker;

	if (b->step != SEALING || m->id != b->id)
		return;
	if (said->trouble == SEAL_NO_TROUBLE && m->n_fds == 1) {
		record(s, said);
		end(b);
		answer_fd(s, a, ANSWER_YES, m->fds[0]);
	} else if (said->trouble != SEAL_NO_TROUBLE && said->trouble != SEAL_NONSENSE) {
		give_up(s, ANSWER_INVALID,
			json_sentence(troubles[said->trouble], b->given ? "--to" : BACKUP_CERTIFICATE));
	} else {
		give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_BROKEN));
	}
}

void backup_sealer_died(struct supervisor *s)
{
	if (s->backup->step == SEALING)
		give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_BROKEN));
}

void backup_make_way(struct supervisor *s)
{
	if (s->backup->step != SEALING)
		return;
	s->backup->step = READY_TO_SEAL;
	role_kill(s, &s->slots[SLOT_COMPILE]);
}

void backup_goes_first(struct supervisor *s)
{
	if (s->backup->step == READY_TO_SEAL && s->slots[SLOT_COMPILE].state == SLOT_OFF)
		seal(s);
}

void backup_stop(struct supervisor *s, const struct asker *a)
{
	if (s->backup->step == IDLE || !asker_is(&s->backup->asker, a))
		return;
	backup_make_way(s);
	end(s->backup);
}

void backup_due(struct supervisor *s, uint64_t now)
{
	struct backup *b = s->backup;

	if (b->step == IDLE)
		return;
	if (now >= b->deadline) {
		if (b->step == SEALING)
			role_kill(s, &s->slots[SLOT_COMPILE]);
		give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_BROKEN));
	} else if (b->number != s->now->number) {
		backup_make_way(s);
		give_up(s, ANSWER_CANNOT, json_sentence(M_CONTROL_CHANGING));
	} else if (b->step == GENERATIONS) {
		add_next(s);
	} else if (b->step == READY_TO_SEAL && s->op.kind == OP_NONE && s->slots[SLOT_COMPILE].state == SLOT_OFF) {
		seal(s);
	}
}

/* What waits for an operation's end, or for the last compiler's, is looked at when those wake the loop; a second later at the latest. */
uint64_t backup_next(const struct supervisor *s)
{
	const struct backup *b = s->backup;

	if (b == NULL || b->step == IDLE)
		return UINT64_MAX;
	if (b->step == GENERATIONS)
		return 0;
	return b->deadline;
}
