/* SPDX-License-Identifier: Apache-2.0 */
/* The messages that carry a generation: to enforce, which makes it true, and to the journal, which names things by it. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/supervise/supervise.h"

static void lengths(const struct policy *p, struct outbuf *b)
{
	out_be32(b, (uint32_t)p->n_sealed);
	out_be32(b, p->ir->n_permits * 4);
}

int kernel_send(struct supervisor *s, struct policy *p, uint8_t flags, uint32_t id, struct err *e)
{
	uint8_t space[9];
	struct outbuf b = outbuf_of(space, sizeof(space));
	int fd = policy_memfd(p);
	bool sent;

	if (fd < 0)
		return err_set(e, fd, "generation for the enforce role");
	out_u8(&b, (uint8_t)(flags | (s->adopted ? 0 : APPLY_BOOT)));
	lengths(p, &b);
	sent = role_send(s, &s->slots[SLOT_ENFORCE], MSG_APPLY, id, &b, &fd, 1);
	close(fd);
	return sent ? 0 : err_set(e, -EPIPE, "generation for the enforce role");
}

/* Besides the generation: the kernel's index of every interface, so that records name the place they came from. */
void journal_generation(struct supervisor *s, const struct policy *p)
{
	uint8_t space[MSG_BODY];
	struct outbuf b = outbuf_of(space, sizeof(space));
	uint32_t *index, n = p->ir->n_interfaces;
	int fd = policy_memfd(p);

	if (fd < 0)
		return;
	lengths(p, &b);
	index = calloc((size_t)n + 1, sizeof(*index));
	if (index != NULL && n <= (MSG_BODY - 8) / 4 && box_indexes(&s->spaces, p->ir, index, NULL) == 0)
		for (uint32_t i = 0; i < n; i++)
			out_be32(&b, p->ir->interfaces[i].admin ? 0 : index[i]);
	role_send(s, &s->slots[SLOT_JOURNAL], MSG_GENERATION, 0, &b, &fd, 1);
	free(index);
	close(fd);
}
