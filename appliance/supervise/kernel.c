/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that carry a generation: to enforce, which puts it into force, and to the journal, which
 * takes names from it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/memfd.h"
#include "appliance/store/retention.h"
#include "appliance/supervise/supervise.h"

int kernel_send(struct supervisor *s, struct policy *p, uint8_t flags, uint32_t id, struct err *e)
{
	const struct msg_body m = { MSG_APPLY, .apply = { .flags = (uint8_t)(flags | (s->adopted ? 0 : APPLY_BOOT)),
							  .n_sealed = (uint32_t)p->n_sealed,
							  .n_ids = p->ir->n_permits * 4 } };
	int fd = policy_memfd(p, &s->stamps);
	bool sent;

	if (fd < 0)
		return err_set(e, fd, "generation for the enforce role");
	sent = role_send(s, &s->slots[SLOT_ENFORCE], id, &m, &fd, 1);
	close(fd);
	return sent ? 0 : err_set(e, -EPIPE, "generation for the enforce role");
}

/* ---- names for the journal ------------------------------------------------------------------- */

/* A generation that the journal has been told. It is kept for the next journal, because records
 * that need its names may still wait. */
struct generation_told {
	struct event_generation which;
	int fd; /* owned */
	struct msg_generation body;
};

#define REMEMBERED 16u

struct remembered {
	struct generation_told list[REMEMBERED]; /* oldest first */
	size_t n;
	/* last: the generation that the journal was told last; told: the process of the journal
	 * that was told, 0 = none */
	struct event_generation last;
	pid_t told;
};

static void tell(struct supervisor *s, const struct generation_told *t)
{
	const struct msg_body m = { MSG_GENERATION, .generation = t->body };
	struct slot *sl = &s->slots[SLOT_JOURNAL];

	s->remembered->last = t->which;
	s->remembered->told = role_send(s, sl, 0, &m, &t->fd, 1) ? sl->pid : 0;
}

/* Whether sessions still have a permit of this generation. As long as they live, there may be
 * records of them. */
static bool is_carried(const struct supervisor *s, struct event_generation g)
{
	for (uint32_t i = 0; i < s->stamps.n; i++)
		if (event_generation_same(s->stamps.list[i].of, g))
			return true;
	return false;
}

/* The newest is last. */
static void remember(const struct supervisor *s, struct remembered *r, struct generation_told t)
{
	size_t at = 0;

	while (at < r->n && !event_generation_same(r->list[at].which, t.which))
		at++;
	if (at == r->n && r->n == REMEMBERED) {
		at = 0;
		while (at < r->n && is_carried(s, r->list[at].which))
			at++;
		at = at < r->n ? at : 0;
	}
	if (at < r->n) {
		close(r->list[at].fd);
		memmove(&r->list[at], &r->list[at + 1], (r->n - at - 1) * sizeof(t));
		r->n--;
	}
	r->list[r->n++] = t;
}

/* The kernel's numbers of all interfaces. Records name an interface by its number. */
static void number_interfaces(struct supervisor *s, const struct policy *p, struct msg_numbers *ret)
{
	uint32_t n = p->ir->n_interfaces;

	if (n > MSG_NUMBERS || box_indexes(&s->spaces, p->ir, ret->list, NULL) < 0)
		return;
	ret->n = n;
	for (uint32_t i = 0; i < n; i++)
		if (p->ir->interfaces[i].admin)
			ret->list[i] = 0;
}

/* Whether its permits have the ids that the journal was told. */
static bool same_ids(const struct generation_told *t, const struct policy *p)
{
	size_t n = t->body.n_ids;
	uint8_t *buf = malloc(n + 1);
	struct bytes b = bytes_of(buf, buf != NULL ? n : 0);
	uint32_t id;
	bool same = buf != NULL && n == p->ir->n_permits * 4 && pread(t->fd, buf, n, t->body.n_sealed) == (ssize_t)n;

	for (uint32_t i = 0; i < p->ir->n_permits && same; i++)
		same = bytes_be32(&b, &id) && id == p->ids[i];
	free(buf);
	return same;
}

/* Whether the journal already knows everything about this generation. */
static bool is_told(struct supervisor *s, const struct policy *p)
{
	const struct event_generation which = event_generation(p->number, p->ir->digest);
	const struct remembered *r = s->remembered;
	const struct slot *sl = &s->slots[SLOT_JOURNAL];
	const struct generation_told *t = r != NULL && r->n > 0 ? &r->list[r->n - 1] : NULL;
	struct msg_numbers numbers = { 0 };

	if (t == NULL || !slot_alive(sl) || r->told != sl->pid || !event_generation_same(r->last, which) ||
	    !event_generation_same(t->which, which) || !same_ids(t, p))
		return false;
	number_interfaces(s, p, &numbers);
	return numbers.n == t->body.interfaces.n &&
	       memcmp(numbers.list, t->body.interfaces.list, numbers.n * sizeof(numbers.list[0])) == 0;
}

void journal_remember(struct supervisor *s, const struct policy *p)
{
	struct generation_told t = { .which = event_generation(p->number, p->ir->digest),
				     .fd = policy_memfd(p, NULL),
				     .body = { .number = (uint32_t)p->number,
					       .n_sealed = (uint32_t)p->n_sealed,
					       .n_ids = p->ir->n_permits * 4 } };

	if (s->remembered == NULL)
		s->remembered = calloc(1, sizeof(*s->remembered));
	if (t.fd < 0 || s->remembered == NULL) {
		if (t.fd >= 0)
			close(t.fd);
		return;
	}
	number_interfaces(s, p, &t.body.interfaces);
	remember(s, s->remembered, t);
}

void journal_generation(struct supervisor *s, const struct policy *p)
{
	if (is_told(s, p))
		return;
	journal_remember(s, p);
	if (s->remembered != NULL && s->remembered->n > 0)
		tell(s, &s->remembered->list[s->remembered->n - 1]);
}

void journal_lingering(struct supervisor *s)
{
	const struct event_generation now = event_generation(s->now->number, s->now->ir->digest);

	for (size_t i = 0; s->remembered != NULL && i < s->remembered->n; i++)
		if (!event_generation_same(s->remembered->list[i].which, now) &&
		    is_carried(s, s->remembered->list[i].which))
			tell(s, &s->remembered->list[i]);
}

void journal_retention(struct supervisor *s)
{
	const struct msg_body m = { MSG_RETENTION,
				    .retention = retention_now(s->now->ir, s->trial, s->clock.wait == CLOCK_TRUSTED) };

	role_send(s, &s->slots[SLOT_JOURNAL], 0, &m, NULL, 0);
}

void journal_generations(struct supervisor *s)
{
	journal_remember(s, s->now);
	for (size_t i = 0; s->remembered != NULL && i < s->remembered->n; i++)
		tell(s, &s->remembered->list[i]);
}

/* ---- when conduits were used: bytes of enforce, which this process does not parse ------------ */

#define USED "used"
#define EVERY_NS (600 * 1000000000ull)

void used_open(struct supervisor *s)
{
	struct err e;

	/* Enforce checks whether the bytes are valid. If they cannot be read, enforce begins
	 * anew. */
	if (file_read(s->state_fd, USED, USED_BYTES, &s->used.bytes, &s->used.n, &e) < 0)
		s->used.bytes = NULL;
}

void used_give(struct supervisor *s)
{
	int fd = s->used.bytes != NULL ? memfd_sealed("sekisho-used", s->used.bytes, s->used.n) : -1;

	if (fd < 0)
		return;
	(void)role_send(s, &s->slots[SLOT_ENFORCE], 0, &(struct msg_body){ .type = MSG_USED }, &fd, 1);
	close(fd);
}

void used_told(struct supervisor *s, struct msg *m)
{
	uint8_t *p = NULL;
	struct err e;
	size_t n = 0;

	if (memfd_read(m->fds[0], USED_BYTES, &p, &n, &e) < 0)
		return;
	free(s->used.bytes);
	s->used.bytes = p;
	s->used.n = n;
	s->used.unsaved = true;
	if (m->body.used.at_once != 0)
		s->used.save_at = 0;
}

void used_save(struct supervisor *s)
{
	struct err e;

	if (s->used.unsaved)
		s->used.unsaved = atomic_write(s->state_fd, USED, s->used.bytes, s->used.n, &e) < 0;
	s->used.save_at = mono_ns() + EVERY_NS;
}

void used_due(struct supervisor *s, uint64_t now)
{
	if (now >= used_next(s))
		used_save(s);
}

uint64_t used_next(const struct supervisor *s)
{
	return s->used.unsaved ? s->used.save_at : UINT64_MAX;
}
