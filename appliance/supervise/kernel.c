/* SPDX-License-Identifier: Apache-2.0 */
/* The messages that carry a generation: to enforce, which makes it true, and to the journal, which names things by it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/supervise/supervise.h"

static void lengths(const struct policy *p, struct outbuf *b)
{
	out_be32(b, (uint32_t)p->n_sealed);
	out_be32(b, p->ir->n_permits * 4);
}

int kernel_send(struct supervisor *s, struct policy *p, uint8_t flags, uint32_t id, struct err *e)
{
	uint8_t space[13];
	struct outbuf b = outbuf_of(space, sizeof(space));
	int fd = policy_memfd(p);
	bool sent;

	if (fd < 0)
		return err_set(e, fd, "generation for the enforce role");
	out_u8(&b, (uint8_t)(flags | (s->adopted ? 0 : APPLY_BOOT)));
	out_be32(&b, workers_for(s, p->ir->workers));
	lengths(p, &b);
	sent = role_send(s, &s->slots[SLOT_ENFORCE], MSG_APPLY, id, &b, &fd, 1);
	close(fd);
	return sent ? 0 : err_set(e, -EPIPE, "generation for the enforce role");
}

/* ---- names for the journal ----------------------------------------------------------------------------------------- */

static void tell(struct supervisor *s, const struct told *t)
{
	struct outbuf b = outbuf_of(t->body, t->n);

	b.len = t->n;
	role_send(s, &s->slots[SLOT_JOURNAL], MSG_GENERATION, 0, &b, &t->fd, 1);
}

static void forget(struct told *t)
{
	close(t->fd);
	free(t->body);
}

/* The newest stands last. */
static void remember(struct supervisor *s, struct told t)
{
	size_t at = 0;

	while (at < s->n_told && !event_generation_same(s->told[at].which, t.which))
		at++;
	if (at == s->n_told && s->n_told == TOLD)
		at = 0;
	if (at < s->n_told) {
		forget(&s->told[at]);
		memmove(&s->told[at], &s->told[at + 1], (s->n_told - at - 1) * sizeof(t));
		s->n_told--;
	}
	s->told[s->n_told++] = t;
}

void journal_remember(struct supervisor *s, const struct policy *p)
{
	uint8_t space[MSG_BODY];
	struct outbuf b = outbuf_of(space, sizeof(space));
	struct told t = { .which = event_generation(p->number, p->ir->digest), .fd = policy_memfd(p) };
	uint32_t n = p->ir->n_interfaces, *index = calloc((size_t)n + 1, sizeof(*index));

	out_be32(&b, (uint32_t)p->number);
	lengths(p, &b);
	/* The kernel's index of every interface, so that records name the place they came from. */
	if (index != NULL && n <= (MSG_BODY - b.len) / 4 && box_indexes(&s->spaces, p->ir, index, NULL) == 0)
		for (uint32_t i = 0; i < n; i++)
			out_be32(&b, p->ir->interfaces[i].admin ? 0 : index[i]);
	free(index);
	t.body = malloc(b.len);
	t.n = b.len;
	if (t.fd < 0 || t.body == NULL) {
		if (t.fd >= 0)
			close(t.fd);
		free(t.body);
		return;
	}
	memcpy(t.body, space, b.len);
	remember(s, t);
}

void journal_generation(struct supervisor *s, const struct policy *p)
{
	journal_remember(s, p);
	if (s->n_told > 0)
		tell(s, &s->told[s->n_told - 1]);
}

void journal_generations(struct supervisor *s)
{
	journal_remember(s, s->now);
	for (size_t i = 0; i < s->n_told; i++)
		tell(s, &s->told[i]);
}
