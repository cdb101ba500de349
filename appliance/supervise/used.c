/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/used.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/memfd.h"
#include "appliance/supervise/supervise.h"

#define NAME "used"
#define EVERY_NS (600 * 1000000000ull)

void used_open(struct supervisor *s)
{
	struct err e;

	/* Enforce checks whether the bytes are valid. If they cannot be read, enforce begins
	 * anew. */
	if (file_read(s->state_fd, NAME, USED_BYTES, &s->used.bytes, &s->used.n, &e) < 0)
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
		s->used.unsaved = atomic_write(s->state_fd, NAME, s->used.bytes, s->used.n, &e) < 0;
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
