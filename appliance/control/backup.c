/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "appliance/base/bundle.h"
#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/base/sha256.h"
#include "appliance/control/answers.h"
#include "appliance/control/backup.h"
#include "appliance/control/control.h"
#include "appliance/control/errands.h"
#include "appliance/control/ground.h"
#include "appliance/control/show.h"

#define LIMIT_NS 90000000000ull
#define ANSWER_BYTES (32u << 20)
#define TEXTS_ENOUGH (32u << 20) /* bytes of texts: older generations are left out beyond this */
#define TEXTS_MOST 512u

enum step { IDLE, WAITS_CERTIFICATE, WAITS_STATUS, WAITS_DEVICES, WAITS_GENERATION, SEALING };

struct backup {
	enum step step;
	struct asker asker;
	char by[USER_BY];
	bool given;	   /* root named the certificate */
	uint64_t serial;   /* id of the question that waits for the backup */
	uint32_t id;	   /* id of the question to the sealer */
	uint64_t deadline; /* monotonic ns */
	uint64_t number;   /* the generation in force at the beginning */
	uint64_t below;	   /* confirmed generations below this number are still to be added */
	uint64_t asked;	   /* the generation that was asked for */
	uint8_t *certificate;
	size_t n_certificate, n_texts, bytes;
	struct source_text texts[TEXTS_MOST];
	char *owned[TEXTS_MOST]; /* the memory that the texts point to */
};

int backup_open(struct control *s, struct err *e)
{
	s->backup = calloc(1, sizeof(*s->backup));
	return s->backup != NULL ? 0 : err_set(e, -ENOMEM, "backups");
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void backup_end(struct backup *b)
{
	free(b->certificate);
	for (size_t i = 0; i < b->n_texts; i++)
		free(b->owned[i]);
	*b = (struct backup){ .serial = b->serial };
}

/* Takes over the sentence's reference. */
static void give_up(struct control *s, int status, json_t *why)
{
	struct asker a = s->backup->asker;

	backup_end(s->backup);
	respond_json(s, a, status, json_pack("{s:o}", "error", why));
}

static void backup_refuse(struct control *s, struct asker a, int status, json_t *why)
{
	respond_json(s, a, status, json_pack("{s:o}", "error", why));
}

/* ---- the certificate ------------------------------------------------------------------------- */

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

/* Reads the site's own certificate, which the supervisor has checked and opened. NULL: it was read;
 * otherwise the reason why not. */
static json_t *site_certificate(struct backup *b, int status, int fd)
{
	if (status == ANSWER_NO)
		return json_sentence(M_BACKUP_NO_KEY, BACKUP_CERTIFICATE);
	if (status != ANSWER_YES || fd < 0 || !read_all(fd, b))
		return json_sentence(M_BACKUP_KEY_LOOSE, BACKUP_CERTIFICATE);
	return NULL;
}

/* ---- the parts of a backup ------------------------------------------------------------------- */

/* Takes over `text`, which is malloc'd. */
static bool add_text(struct backup *b, const char *name, char *text, size_t n)
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

/* Takes over the reference. */
static bool add_json(struct backup *b, const char *name, json_t *j)
{
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	size_t n = text != NULL ? strlen(text) : 0;

	json_decref(j);
	return add_text(b, name, text, n);
}

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

static void send_to_seal(struct control *s)
{
	struct backup *b = s->backup;
	int fds[2] = { memfd_sealed("sekisho-certificate", b->certificate, b->n_certificate), bundle_fd(b) };
	bool sent = false;

	if (fds[0] >= 0 && fds[1] >= 0) {
		b->id = relayed_id(SLOT_ERRAND, ++s->next_id);
		sent = work_put(s, b->id, &(struct msg_body){ .type = MSG_SEAL }, fds, 2);
	}
	for (size_t i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (sent)
		b->step = SEALING;
	else
		give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_BROKEN));
}

/* Stops the encryption, because nobody waits for the sealed file any more. */
static void unseal(struct control *s)
{
	if (s->backup->step == SEALING)
		work_stop(s, s->backup->id);
}

static void ask_for_part(struct control *s, enum step step, uint64_t number)
{
	struct backup *b = s->backup;
	const struct msg_body list = { MSG_DEVICES, .devices = { .order = DEVICES_COPY, .reason = "" } },
			      file = { MSG_FILE, .file = { .which = BOX_FILE_BACKUP } },
			      show = { MSG_SHOW, .show = { .number = number } };
	struct asker a = { .kind = ASKER_BACKUP, .serial = ++b->serial };

	b->step = step;
	if (step == WAITS_STATUS)
		collect_start(s, COLLECT_STATUS, a);
	else if (step == WAITS_DEVICES)
		collect_pass(s, SLOT_JOURNAL, &list, a);
	else
		collect_pass(s, SLOT_BOX, step == WAITS_CERTIFICATE ? &file : &show, a);
}

void backup_begin(struct control *s, struct asker a, const char *by, int certificate)
{
	const struct generation_record *g = generation_find(&s->store, s->now->number);
	struct backup *b = s->backup;
	struct utsname host = { 0 };
	struct err e = { 0 };

	/* A login's backup gives way to root's. */
	if (b->step != IDLE && b->asker.login && !a.login) {
		unseal(s);
		give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_ANOTHER));
	}
	if (b->step != IDLE) {
		backup_refuse(s, a, ANSWER_CANNOT, json_sentence(M_BACKUP_ANOTHER));
		return;
	}
	b->given = certificate >= 0;
	if (b->given && memfd_read(certificate, BACKUP_CERTIFICATE_MOST, &b->certificate, &b->n_certificate, &e) < 0) {
		backup_end(b);
		backup_refuse(s, a, ANSWER_INVALID, json_sentence(M_BACKUP_NO_CERTIFICATE, "--to"));
		return;
	}
	/* An applied generation that waits for its confirmation may be rolled back: no backup of
	 * it. */
	if (g == NULL || g->state == GEN_WAITING) {
		backup_end(b);
		backup_refuse(s, a, ANSWER_CANNOT, json_sentence(g == NULL ? M_SHOW_NONE : M_BACKUP_TRIAL));
		return;
	}
	(void)uname(&host);
	b->asker = a;
	snprintf(b->by, sizeof(b->by), "%s", by);
	b->deadline = now_ns() + LIMIT_NS;
	b->number = g->number;
	(void)add_json(b, "host", json_text(host.nodename));
	ask_for_part(s, b->given ? WAITS_STATUS : WAITS_CERTIFICATE, 0);
}

static const struct generation_record *next_one(const struct control *s);

/* Asks for the next generation, or begins to seal. */
static void go_on(struct control *s)
{
	const struct generation_record *g = next_one(s);
	struct backup *b = s->backup;

	if (g != NULL) {
		b->asked = g->number;
		ask_for_part(s, WAITS_GENERATION, g->number);
	} else if (b->below == UINT64_MAX) {
		give_up(s, ANSWER_CANNOT, json_sentence(M_SHOW_UNREADABLE, (unsigned long long)b->number, ""));
	} else {
		send_to_seal(s);
	}
}

/* An unreadable generation is left out, unless it is the one in force. */
static void generation_told(struct control *s, int fd)
{
	struct backup *b = s->backup;
	const struct generation_record *g = generation_find(&s->store, b->asked);
	bool first = b->below == UINT64_MAX;
	struct err e = { 0 };
	json_t *j = g != NULL ? json_kept(s, g, fd, &e) : NULL;

	b->below = first ? UINT64_MAX - 1 : b->asked;
	if (j == NULL && first) {
		give_up(s, ANSWER_CANNOT, json_sentence(M_SHOW_UNREADABLE, (unsigned long long)b->number, e.text));
		return;
	}
	if (j != NULL)
		(void)add_json(b, "generation", j);
	go_on(s);
}

void backup_told(struct control *s, struct asker a, int status, int fd)
{
	struct backup *b = s->backup;
	uint8_t *text = NULL;
	struct err e = { 0 };
	json_t *why;
	size_t n = 0;

	if (a.serial != b->serial || b->step == IDLE || b->step == SEALING)
		return;
	if (b->step == WAITS_GENERATION) {
		generation_told(s, status == ANSWER_YES ? fd : -1);
		return;
	}
	if (b->step == WAITS_CERTIFICATE) {
		why = site_certificate(b, status, fd);
		if (why != NULL)
			give_up(s, ANSWER_INVALID, why);
		else
			ask_for_part(s, WAITS_STATUS, 0);
		return;
	}
	if (status == ANSWER_YES && fd >= 0 && memfd_read(fd, ANSWER_BYTES, &text, &n, &e) < 0)
		text = NULL;
	if (b->step == WAITS_STATUS) {
		if (text != NULL && add_text(b, "status", (char *)text, n))
			ask_for_part(s, WAITS_DEVICES, 0);
		else
			give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_BROKEN));
		return;
	}
	/* Without a list of devices the backup is still made, and says so. */
	(void)(text != NULL ? add_text(b, "devices", (char *)text, n) : add_json(b, "devices", json_null()));
	b->bytes = 0;
	b->below = UINT64_MAX;
	go_on(s);
}

/* The generation in force first, then confirmed ones, the newest first; NULL: no more. */
static const struct generation_record *next_one(const struct control *s)
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

/* ---- the file -------------------------------------------------------------------------------- */

static void record_backup(struct control *s, const struct msg_sealed *m)
{
	struct event e = event_new(EVENT_POLICY, clock_wall_ns());
	char file[65], key[65];

	hex_text(m->digest, sizeof(m->digest), file);
	hex_text(m->key, sizeof(m->key), key);
	e.code = POLICY_BACKED_UP;
	e.value = s->backup->number;
	e.quantity = (uint32_t)m->bytes; /* at most 96 MiB, so it fits */
	event_say(&e, EVENT_BY, s->backup->by);
	event_say(&e, EVENT_OBJECT, file);
	event_say(&e, EVENT_AFTER, key);
	event_send(&s->events, &e);
}

void backup_sealed(struct control *s, const struct msg *m)
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
		record_backup(s, said);
		backup_end(b);
		respond_fd(s, a, ANSWER_YES, m->fds[0]);
	} else if (said->trouble != SEAL_NO_TROUBLE && said->trouble != SEAL_NONSENSE) {
		give_up(s, ANSWER_INVALID,
			json_sentence(troubles[said->trouble], b->given ? "--to" : BACKUP_CERTIFICATE));
	} else {
		give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_BROKEN));
	}
}

void backup_unsealed(struct control *s, uint32_t id)
{
	if (s->backup->step == SEALING && s->backup->id == id)
		give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_BROKEN));
}

void backup_stop(struct control *s, const struct asker *a)
{
	if (s->backup->step == IDLE || !asker_is(&s->backup->asker, a))
		return;
	unseal(s);
	backup_end(s->backup);
}

void backup_due(struct control *s, uint64_t now)
{
	struct backup *b = s->backup;

	if (b->step == IDLE)
		return;
	if (now >= b->deadline) {
		unseal(s);
		give_up(s, ANSWER_CANNOT, json_sentence(M_BACKUP_BROKEN));
	} else if (b->number != s->now->number) {
		unseal(s);
		give_up(s, ANSWER_CANNOT, json_sentence(M_CONTROL_CHANGING));
	}
}

uint64_t backup_next(const struct control *s)
{
	const struct backup *b = s->backup;

	return b->step != IDLE ? b->deadline : UINT64_MAX;
}
