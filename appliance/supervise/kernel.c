/* SPDX-License-Identifier: Apache-2.0 */
/* The messages that carry a generation: to enforce, which makes it true, and to the journal, which names things by it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "appliance/supervise/supervise.h"

int kernel_send(struct supervisor *s, struct policy *p, uint8_t flags, uint32_t id, struct err *e)
{
	const struct msg_body m = { MSG_APPLY, .apply = { .flags = (uint8_t)(flags | (s->adopted ? 0 : APPLY_BOOT)),
							  .workers = workers_for(s, p->ir->workers),
							  .n_sealed = (uint32_t)p->n_sealed,
							  .n_ids = p->ir->n_permits * 4 } };
	int fd = policy_memfd(p);
	bool sent;

	if (fd < 0)
		return err_set(e, fd, "generation for the enforce role");
	sent = role_send(s, &s->slots[SLOT_ENFORCE], id, &m, &fd, 1);
	close(fd);
	return sent ? 0 : err_set(e, -EPIPE, "generation for the enforce role");
}

/* ---- names for the journal ----------------------------------------------------------------------------------------- */

static void tell(struct supervisor *s, const struct told *t)
{
	const struct msg_body m = { MSG_GENERATION, .generation = t->body };

	role_send(s, &s->slots[SLOT_JOURNAL], 0, &m, &t->fd, 1);
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
		close(s->told[at].fd);
		memmove(&s->told[at], &s->told[at + 1], (s->n_told - at - 1) * sizeof(t));
		s->n_told--;
	}
	s->told[s->n_told++] = t;
}

/* The kernel's index of every interface, so that records name the place they came from. */
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

void journal_remember(struct supervisor *s, const struct policy *p)
{
	struct told t = { .which = event_generation(p->number, p->ir->digest),
			  .fd = policy_memfd(p),
			  .body = { .number = (uint32_t)p->number,
				    .n_sealed = (uint32_t)p->n_sealed,
				    .n_ids = p->ir->n_permits * 4 } };

	if (t.fd < 0)
		return;
	number_interfaces(s, p, &t.body.interfaces);
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
